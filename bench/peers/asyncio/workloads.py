# SPDX-License-Identifier: MIT
"""The workloads in asyncio, for whichever loop it runs on.

Random durations are drawn before the clocks start: drawing costs Python more than it should
count for in a sleep.
"""

import asyncio
import sys

from echo import serve_echo
from measure import Memory, Report, cpu_ns, durations_ns, now_ns, parse_options
from primitives import measure_primitives


async def measure_sleep(options, report):
    n, seconds = options.tasks, options.seconds

    memory = Memory()
    start, cpu = now_ns(), cpu_ns()

    tasks = [asyncio.create_task(asyncio.sleep(seconds)) for _ in range(n)]
    await asyncio.sleep(seconds / 2)
    memory.sample()
    await asyncio.gather(*tasks)

    report.line(n, "wall_beyond", (now_ns() - start) / 1e9 - seconds, "s")
    report.line(n, "cpu_per_task", (cpu_ns() - cpu - memory.cpu_ns) / n, "ns")
    memory.report(report, n)


async def sleep_repeatedly(durations, late):
    for ns in durations:
        due = now_ns() + ns
        await asyncio.sleep(ns / 1e9)
        late.append(now_ns() - due)


async def measure_storm(options, report):
    n = options.tasks
    durations = [durations_ns(options.seed + i, options.rounds, 10) for i in range(n)]
    late = []

    cpu = cpu_ns()
    await asyncio.gather(*[sleep_repeatedly(durations[i], late) for i in range(n)])
    cpu = cpu_ns() - cpu

    assert len(late) == n * options.rounds
    report.line(n, "fires_per_cpu_s", len(late) / (cpu / 1e9), "1/s")
    report.lateness(n, late)


async def measure_stagger(options, report):
    n = options.tasks
    durations = [durations_ns(options.seed + i, 1, 100) for i in range(n)]
    late = []
    tasks = []

    cpu = cpu_ns()
    start = now_ns()
    for i in range(n):
        wait = start + i * 1_000_000 - now_ns()
        if wait > 0:
            await asyncio.sleep(wait / 1e9)
        tasks.append(asyncio.create_task(sleep_repeatedly(durations[i], late)))
    await asyncio.gather(*tasks)

    report.line(n, "cpu_per_task", (cpu_ns() - cpu) / n, "ns")
    report.lateness(n, late)


async def wait_with_timeout(future, timeout):
    try:
        await asyncio.wait_for(future, timeout)
        return True
    except asyncio.TimeoutError:
        return False


async def measure_waits(n, timeout, complete):
    cpu = cpu_ns()
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(n)]
    tasks = [asyncio.create_task(wait_with_timeout(future, timeout)) for future in futures]
    await asyncio.sleep(0)
    if complete:
        for future in futures:
            future.set_result(None)
    results = await asyncio.gather(*tasks)
    assert results == [complete] * n
    return (cpu_ns() - cpu) / n


async def measure_timeouts(options, report):
    n = options.tasks
    report.line(n, "never_ns", await measure_waits(n, 60, True), "ns")
    report.line(n, "always_ns", await measure_waits(n, 0.010, False), "ns")


async def measure_cancel(options, report):
    n = options.tasks
    tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(n)]
    await asyncio.sleep(0)

    cpu = cpu_ns()
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    del tasks, task
    cpu = cpu_ns() - cpu

    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    report.line(n, "cancel_ns", cpu / n, "ns")


WORKLOADS = {
    "sleep": measure_sleep,
    "storm": measure_storm,
    "stagger": measure_stagger,
    "timeouts": measure_timeouts,
    "cancel": measure_cancel,
    "primitives": measure_primitives,
    "echo": serve_echo,
}


def main(peer, run=asyncio.run):
    options = parse_options(peer)
    run(WORKLOADS[options.workload](options, Report(options)))
    sys.exit(0)
