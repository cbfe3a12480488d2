# SPDX-License-Identifier: MIT
"""What asyncuv is to reach, and what it does."""

from dataclasses import dataclass

from .numbers import three_digits, with_unit
from .results import Subject

LESS, STACK = Subject('asyncuv', 'stackless'), Subject('asyncuv', 'stackful')
LIBUV, TOKIO, GO = Subject('libuv'), Subject('tokio'), Subject('go')


@dataclass(frozen=True)
class Verdict:
    what: str
    measured: str
    aim: str
    holds: bool


@dataclass(frozen=True)
class Target:
    """A figure of ours against a bound, or against a multiple of what another has."""

    what: str
    workload: str
    metric: str
    ours: Subject
    n: int
    bound: float
    against: Subject = None     # None: @bound is the figure itself
    against_n: int = None       # of ours with another n, for growth
    at_least: bool = False

    def verdict(self, results):
        """None where what it takes was not measured."""
        mine = results.summary(self.workload, self.metric, self.ours, self.n)
        if mine is None:
            return None
        unit = results.find(self.workload, self.metric, self.ours, self.n)[0].unit
        value, measured = mine.median, with_unit(mine.median, unit)
        aim = with_unit(self.bound, unit)
        if self.against:
            theirs = results.summary(self.workload, self.metric, self.against, self.against_n or self.n)
            if theirs is None or not theirs.median:
                return None
            value = mine.median / theirs.median
            other = f'{self.against.name} with {self.against_n:,}' if self.against_n else self.against.name
            measured += f', {three_digits(value)} times {other} ({with_unit(theirs.median, unit)})'
            aim = f'{three_digits(self.bound)} times'
        holds = value >= self.bound if self.at_least else value <= self.bound
        relation = 'at least' if self.at_least else 'at most'
        return Verdict(self.what, measured, f'{relation} {aim}', holds)


MILLION, MANY, FEW = 1_000_000, 100_000, 1000

TARGETS = [
    Target('Memory of a stackless sleeping task', 'sleep', 'memory_per_task_total', LESS, MILLION, 160),
    Target('and against bare libuv timers', 'sleep', 'memory_per_task_total', LESS, MILLION, 1, LIBUV),
    Target('Memory of a stackful sleeping task', 'sleep', 'memory_per_task_total', STACK, MILLION, 4.3 * 1024),
    Target('CPU of a stackless sleeping task', 'sleep', 'cpu_per_task', LESS, MILLION, 0.4, LIBUV),
    Target('CPU of a stackful sleeping task', 'sleep', 'cpu_per_task', STACK, MILLION, 1, GO),
    Target('Storm, fires per CPU second, stackless', 'storm', 'fires_per_cpu_s', LESS, MANY, 2, LIBUV,
           at_least=True),
    Target('Storm, fires per CPU second, stackless', 'storm', 'fires_per_cpu_s', LESS, MANY, 1.5, TOKIO,
           at_least=True),
    Target('Storm, median lateness, stackless', 'storm', 'lateness_p50_us', LESS, FEW, 60),
    Target('Storm, median lateness, stackful', 'storm', 'lateness_p50_us', STACK, FEW, 60),
    Target('Storm, sleeps that ended early, stackless', 'storm', 'early', LESS, FEW, 0),
    Target('Storm, sleeps that ended early, stackful', 'storm', 'early', STACK, FEW, 0),
    Target('Growth of CPU per stackless task', 'sleep', 'cpu_per_task', LESS, MILLION, 3, LESS, 10_000),
    Target('Growth of CPU per stackful task', 'sleep', 'cpu_per_task', STACK, MILLION, 3, STACK, 10_000),
    Target('Growth of memory per stackless task', 'sleep', 'memory_per_task', LESS, MILLION, 1.1, LESS, 10_000),
    Target('Growth of memory per stackful task', 'sleep', 'memory_per_task', STACK, MILLION, 1.1, STACK, 10_000),
]

# (title, metric, n, bound of the stackless form, of the stackful); None where one bound is for neither.
PRIMITIVES = [
    ('Switch', 'switch_ns', 1, None, 8),
    ('Yield among 1,000', 'yield_ns', 1000, 15, 25),
    ('Create and await', 'create_await_ns', 1, 50, 80),
    ('Set and wake', 'set_wake_ns', 1, 45, 45),
    ('Gather, for each child', 'gather_ns', 1000, 90, 90),
    ('Start and cancel of a sleep', 'sleep_cancel_ns', None, 150, 150),
]


def is_needed(subject):
    """Whether an aim is about it."""
    return any(subject.peer == target.peer for aim in TARGETS for target in (aim.ours, aim.against) if target)


def primitive_verdicts(results):
    """Each at most its bound, and below the best of the peers."""
    for title, metric, n, *bounds in PRIMITIVES:
        theirs = {s.subject.name: s.summary.median for s in results.find('primitives', metric, n=n)
                  if not s.subject.is_ours}
        best = min(theirs, key=theirs.get, default=None)
        for subject, bound in zip((LESS, STACK), bounds):
            mine = results.summary('primitives', metric, subject, n)
            if mine is None or bound is None:
                continue
            measured = with_unit(mine.median, 'ns')
            if best:
                measured += f'; the best peer is {best} with {with_unit(theirs[best], "ns")}'
            holds = mine.median <= bound and (not best or mine.median < theirs[best])
            yield Verdict(f'{title}, {subject.form}', measured, f'at most {bound} ns, and below every peer', holds)


def verdicts(results):
    sleeping = (target.verdict(results) for target in TARGETS)
    return [verdict for verdict in sleeping if verdict] + list(primitive_verdicts(results))
