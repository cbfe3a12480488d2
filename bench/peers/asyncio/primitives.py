# SPDX-License-Identifier: MIT
"""What asyncio's primitives cost, for whichever loop it runs on."""

import asyncio
import sys
import types

from measure import now_ns

REPEATS = 10_000
BATCH = 1000  # of what there is one for each time
N_YIELDS = 50_000


@types.coroutine
def suspend():
    yield


async def suspend_forever():
    while True:
        await suspend()


async def measure_switch(_n):
    """A task's coroutine, resumed by hand as the task does: half of there and back."""
    coroutine = suspend_forever()
    resume = coroutine.send
    resume(None)
    start = now_ns()
    for _ in range(REPEATS):
        resume(None)
    ns = now_ns() - start
    coroutine.close()
    return ns / REPEATS / 2


async def yield_repeatedly(rounds):
    for _ in range(rounds):
        await asyncio.sleep(0)


async def measure_yield(n):
    rounds = N_YIELDS // n
    start = now_ns()
    await asyncio.gather(*[yield_repeatedly(rounds) for _ in range(n)])
    return (now_ns() - start) / (n * rounds)


async def return_at_once():
    return 1


async def measure_create_await(_n):
    start = now_ns()
    for _ in range(REPEATS):
        await asyncio.create_task(return_at_once())
    return (now_ns() - start) / REPEATS


async def measure_eager_await(_n):
    start = now_ns()
    for _ in range(REPEATS):
        await asyncio.Task(return_at_once(), eager_start=True)
    return (now_ns() - start) / REPEATS


async def wait_and_go(there, back):
    for awaited, other in zip(there, back):
        await awaited
        other.set_result(1)


async def measure_set_wake(_n):
    """Two tasks wake each other: half of there and back."""
    loop = asyncio.get_running_loop()
    ns = 0
    for _ in range(REPEATS // BATCH):
        there, back = ([loop.create_future() for _ in range(BATCH)] for _ in range(2))
        task = asyncio.create_task(wait_and_go(there, back))
        await asyncio.sleep(0)
        start = now_ns()
        for other, awaited in zip(there, back):
            other.set_result(1)
            await awaited
        ns += now_ns() - start
        await task
    return ns / REPEATS / 2


async def measure_gather(n):
    start = now_ns()
    await asyncio.gather(*[return_at_once() for _ in range(n)])
    return (now_ns() - start) / n


async def measure_sleep_cancel(n):
    start = now_ns()
    tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(n)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return (now_ns() - start) / n


async def measure_lock(_n):
    lock = asyncio.Lock()
    start = now_ns()
    for _ in range(REPEATS):
        async with lock:
            pass
    return (now_ns() - start) / REPEATS


async def put_all(queue, n):
    for i in range(n):
        await queue.put(i)


async def measure_queue(_n):
    queue = asyncio.Queue(maxsize=1)
    producer = asyncio.create_task(put_all(queue, REPEATS))
    start = now_ns()
    for _ in range(REPEATS):
        await queue.get()
    ns = now_ns() - start
    await producer
    return ns / REPEATS


async def measure_primitives(options, report):
    await report.primitive("switch_ns", 1, measure_switch)
    await report.primitive("yield_ns", 2, measure_yield)
    await report.primitive("yield_ns", 1000, measure_yield)
    await report.primitive("create_await_ns", 1, measure_create_await)
    if sys.version_info >= (3, 12):
        await report.primitive("eager_await_ns", 1, measure_eager_await)
    await report.primitive("set_wake_ns", 1, measure_set_wake)
    await report.primitive("gather_ns", 1000, measure_gather)
    await report.primitive("sleep_cancel_ns", 1000, measure_sleep_cancel)
    await report.primitive("lock_ns", 1, measure_lock)
    await report.primitive("queue_ns", 1, measure_queue)
