# SPDX-License-Identifier: MIT
"""The two tables that sum up a run: what a sleeping task costs, and what the primitives do."""

from dataclasses import dataclass

from .numbers import grouped, three_digits


@dataclass(frozen=True)
class Column:
    title: str
    workload: str
    metric: str
    n: int = None         # None for whichever the subject was measured with
    factor: float = 1.0
    lower_is_better: bool = True
    whole: bool = False   # without a fraction
    never_early: bool = False  # the best is only one of which no sleep ended early

    def summary(self, results, subject):
        return results.summary(self.workload, self.metric, subject, self.n)

    def text(self, results, subject):
        summary = self.summary(results, subject)
        if summary is None:
            return '-'
        value = summary.median * self.factor
        return grouped(value) if self.whole else three_digits(value)


def sleep_columns(results):
    """The largest storm is for throughput, the smallest for lateness."""
    most = {workload: results.largest(workload) for workload in ('sleep', 'storm', 'timeouts', 'cancel')}
    few = min(results.sizes('storm'), default=None)
    return [
        Column('memory', 'sleep', 'memory_per_task_total', most['sleep'], whole=True),
        Column('CPU', 'sleep', 'cpu_per_task', most['sleep'], whole=True),
        Column('fires', 'storm', 'fires_per_cpu_s', most['storm'], factor=1e-6, lower_is_better=False),
        Column('p50', 'storm', 'lateness_p50_us', few, never_early=True),
        Column('p99', 'storm', 'lateness_p99_us', few, never_early=True),
        Column('early', 'storm', 'early', few, whole=True),
        Column('never', 'timeouts', 'never_ns', most['timeouts'], whole=True),
        Column('always', 'timeouts', 'always_ns', most['timeouts'], whole=True),
        Column('cancel', 'cancel', 'cancel_ns', most['cancel'], whole=True),
    ]


def sleep_legend(results):
    """What the columns are, as (their titles, what they have)."""
    few = min(results.sizes('storm'), default=None)
    texts = {
        'sleep': ('memory, CPU', 'bytes, page tables included, and nanoseconds of CPU for each of {:,} tasks that '
                                 'sleep, from its making to its end'),
        'storm': ('fires', 'millions of sleeps of 1 to 10 ms that end per CPU second, among {:,} tasks'),
        'few': ('p50, p99, early', 'microseconds that such sleeps end late among {:,} tasks, the median and the 99th '
                                   'percentile; and how many ended early'),
        'timeouts': ('never, always', 'nanoseconds of CPU for a wait under a timeout that never fires, and under one '
                                      'that always does, among {:,} tasks'),
        'cancel': ('cancel', 'nanoseconds of CPU to cancel each of {:,} sleeping tasks'),
    }
    sizes = {workload: few if workload == 'few' else results.largest(workload) for workload in texts}
    return [(names, what.format(sizes[workload])) for workload, (names, what) in texts.items() if sizes[workload]]


def primitive_columns(results):
    return [
        Column('switch', 'primitives', 'switch_ns', 1),
        Column('yield 2', 'primitives', 'yield_ns', 2),
        Column('yield 1,000', 'primitives', 'yield_ns', 1000),
        Column('create, await', 'primitives', 'create_await_ns', 1),
        Column('eager, await', 'primitives', 'eager_await_ns', 1),
        Column('set, wake', 'primitives', 'set_wake_ns', 1),
        Column('gather', 'primitives', 'gather_ns', 1000),
        Column('sleep, cancel', 'primitives', 'sleep_cancel_ns'),
        Column('lock', 'primitives', 'lock_ns', 1),
        Column('queue', 'primitives', 'queue_ns', 1),
    ]


def rows_of(columns, results):
    """A row for each subject that has anything in it, as (subject, texts)."""
    rows = [(subject, [column.text(results, subject) for column in columns]) for subject in results.subjects()]
    return [(subject, texts) for subject, texts in rows if set(texts) != {'-'}]


def best_of(column, results):
    """The subject with the best figure of a column; None where nobody else has one, or several the same."""
    medians = {}
    for subject in results.subjects():
        summary = column.summary(results, subject)
        early = results.summary(column.workload, 'early', subject, column.n) if column.never_early else None
        if summary and not (early and early.high):
            medians[subject] = summary.median
    best = (min if column.lower_is_better else max)(medians.values(), default=None)
    holders = [subject for subject, value in medians.items() if value == best]
    return holders[0] if len(holders) == 1 and len(medians) > 1 else None
