# SPDX-License-Identifier: MIT
"""Which workloads are run, and with how much of each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A workload with its arguments."""

    workload: str
    n: int
    arguments: tuple
    seconds: float = 0.3  # that it lasts at the least
    fires: int = 0        # sleeps for each task


def sleep(n, seconds):
    return Case('sleep', n, ('--tasks', str(n), '--seconds', str(seconds)), seconds, 1)


def storm(n, rounds):
    return Case('storm', n, ('--tasks', str(n), '--rounds', str(rounds), '--seed', '1'), rounds * 0.0055, rounds)


def stagger(n):
    return Case('stagger', n, ('--tasks', str(n), '--seed', '1'), n / 1000 + 0.1, 1)


def timeouts(n):
    return Case('timeouts', n, ('--tasks', str(n)), fires=2)


def cancel(n):
    return Case('cancel', n, ('--tasks', str(n)), fires=1)


def primitives(runs):
    """Runs within the process, of which it takes the median."""
    return Case('primitives', 1, ('--runs', str(runs)), 0.1 * runs)


def echo_warmup(n, size):
    """Seconds in which a quick server answers 30 messages of each connection.

    The first ones find TCP's windows and all buffers as small as they begin, and take memory that the system has
    not given out before.
    """
    us_per_message = 5 + size / 3300
    return max(0.3, round(30 * n * us_per_message / 1e6, 2))


def echo(n, size):
    """Of connections, and bytes of each message."""
    warmup = echo_warmup(n, size)
    return Case('echo', n, ('--connections', str(n), '--size', str(size), '--seconds', '1', '--warmup', str(warmup)),
                warmup + 1.1)


# A sleep lasts long enough for all tasks to be asleep at the same time.
FULL = [
    sleep(1, 0.1), sleep(1000, 0.2), sleep(10_000, 0.5), sleep(100_000, 2), sleep(1_000_000, 10),
    storm(1000, 200), storm(100_000, 10),
    stagger(1000),
    timeouts(100_000),
    cancel(100_000),
    primitives(5),
]

# What lasts longest comes last: where the machine is busy, the time may end before.
QUICK = [
    sleep(1000, 0.2), sleep(10_000, 0.5),
    storm(1000, 20), storm(10_000, 10),
    timeouts(10_000),
    cancel(10_000),
    primitives(3),
    stagger(200),
    sleep(100_000, 1),
]

# Run where they are asked for: they take as long as all others together.
ECHO = [echo(n, size) for size in (64, 1024, 65536) for n in (1, 50, 500, 5000)]
ECHO_QUICK = [echo(50, 64), echo(50, 65536)]


def chosen(names, quick):
    """The cases of the workloads that were named; without names, of all but echo."""
    if names is None:
        return QUICK if quick else FULL
    cases = (QUICK + ECHO_QUICK) if quick else (FULL + ECHO)
    return [case for case in cases if case.workload in names]


NAMES = ['sleep', 'storm', 'stagger', 'timeouts', 'cancel', 'primitives', 'echo']
