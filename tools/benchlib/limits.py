# SPDX-License-Identifier: MIT
"""What would take too long or too much memory, known before it is tried."""

from dataclasses import dataclass

from .machine import memory_bytes


@dataclass(frozen=True)
class Limits:
    """Of one program, from measurements and rounded up."""

    bytes_per_task: int  # while it sleeps
    us_per_task: float   # of processor time, from its making to its end
    us_per_fire: float   # for each sleep of a storm


LIMITS = {
    'asyncuv stackless': Limits(200, 1, 1),
    'asyncuv stackful': Limits(5_000, 6, 2),
    'libuv': Limits(200, 1, 1.5),
    'asio': Limits(5_000, 7, 1.6),
    'tokio': Limits(1_500, 2, 1.1),
    'st': Limits(5_000, 7, 6),
    'go': Limits(3_500, 6, 2),
    'erlang': Limits(4_000, 25, 3),
    'node': Limits(6_500, 25, 7),
    'uvloop': Limits(3_500, 20, 12),
    'asyncio': Limits(3_500, 22, 14),
}


def bytes_for(subject, case):
    """That one run of a program needs, rounded up; 0 where that is not known."""
    limits = LIMITS.get(subject.name)
    return limits.bytes_per_task * case.n if limits else 0


def seconds_for(subject, case):
    """That one run of a program takes, more or less."""
    limits = LIMITS.get(subject.name)
    work = (limits.us_per_task + limits.us_per_fire * case.fires) * case.n / 1e6 if limits else 0
    return case.seconds + work


def why_not(subject, case, seconds_at_most, available=None):
    """Why a program is not run with this much of a workload; None where it is."""
    limits = LIMITS.get(subject.name)
    if not limits:
        return None
    if available is None:
        available = memory_bytes('MemAvailable')
    needed = bytes_for(subject, case)
    if needed > 0.8 * available:
        return f'would need {needed / 2**30:.1f} GiB of memory, and there are {available / 2**30:.1f}'
    seconds = seconds_for(subject, case)
    if seconds > seconds_at_most:
        return f'would take about {seconds:.0f} s, and the limit is {seconds_at_most:.0f}'
    return None
