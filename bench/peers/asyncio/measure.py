# SPDX-License-Identifier: MIT
"""What the workloads share: options, memory, random durations, lateness, and the lines of JSON."""

import argparse
import array
import json
import statistics
import time

MS = 1_000_000
MASK = (1 << 64) - 1


def count(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def duration(text):
    seconds = float(text)
    if not 0 <= seconds < 1e9:
        raise ValueError
    return seconds


KINDS = {"tasks": count, "rounds": count, "runs": count, "seconds": duration}


def parse_options(peer):
    parser = argparse.ArgumentParser(prog=peer)
    commands = parser.add_subparsers(dest="workload", required=True)

    def add(name, **options):
        command = commands.add_parser(name)
        for option, default in options.items():
            command.add_argument("--" + option, type=KINDS.get(option, int), default=default)
        return command

    add("sleep", tasks=1000, seconds=1.0)
    add("storm", tasks=1000, rounds=10, seed=1)
    add("stagger", tasks=1000, seed=1)
    add("timeouts", tasks=1000)
    add("cancel", tasks=1000)
    add("primitives", runs=9)
    echo = add("echo", port=0)
    echo.add_argument("--form", choices=["streams", "protocol"], default="streams")
    options = parser.parse_args()
    options.peer = peer
    return options


class Report:
    def __init__(self, options):
        self.options = options

    def line(self, n, metric, value, unit):
        form = getattr(self.options, "form", "")
        print(json.dumps({"workload": self.options.workload, "peer": self.options.peer, "form": form,
                          "n": n, "metric": metric, "value": value, "unit": unit},
                         separators=(",", ":")), flush=True)

    def lateness(self, n, late_ns):
        late = sorted(late_ns)
        count = len(late)
        self.line(n, "lateness_p50_us", late[count // 2] / 1e3, "us")
        self.line(n, "lateness_p99_us", late[count * 99 // 100] / 1e3, "us")
        self.line(n, "lateness_max_us", late[-1] / 1e3, "us")
        self.line(n, "early", sum(ns < 0 for ns in late), "fires")

    async def primitive(self, metric, n, measure):
        """The median of what measure(n) returns, nanoseconds each, after as many to get warm."""
        runs = self.options.runs
        results = [await measure(n) for _ in range(2 * runs)]
        self.line(n, metric, statistics.median(results[runs:]), "ns")


def status_bytes(field):
    """A line of /proc/self/status in bytes."""
    with open("/proc/self/status") as status:
        for line in status:
            name, _, rest = line.partition(":")
            if name == field:
                return int(rest.split()[0]) * 1024
    raise LookupError(field)


class Memory:
    """What there was before the first task; page tables have no peak to read, and are sampled."""

    def __init__(self):
        self.resident = status_bytes("VmRSS")
        self.pagetable = self.pagetable_peak = status_bytes("VmPTE")
        self.cpu_ns = 0  # that looking has taken while tasks were there

    def sample(self):
        cpu = cpu_ns()
        self.pagetable_peak = max(self.pagetable_peak, status_bytes("VmPTE"))
        self.cpu_ns += cpu_ns() - cpu

    def report(self, report, n):
        self.sample()
        peak = status_bytes("VmHWM") + self.pagetable_peak
        report.line(n, "memory_per_task", (peak - self.resident - self.pagetable) / n, "bytes")
        report.line(n, "memory_per_task_total", peak / n, "bytes")


def durations_ns(state, n, max_ms):
    """n random durations, uniform from 1 ms to max_ms, by splitmix64 as in all peers."""
    drawn = array.array("q")
    for _ in range(n):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        drawn.append(MS + (z ^ (z >> 31)) % ((max_ms - 1) * MS + 1))
    return drawn


cpu_ns = time.process_time_ns
now_ns = time.monotonic_ns
