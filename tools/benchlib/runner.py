# SPDX-License-Identifier: MIT
"""Runs the programs in turns: each repetition is all workloads, and each workload all programs.

What drifts on the machine while the whole goes on then falls on all programs alike.
"""

import json
import subprocess
import time
from dataclasses import dataclass, field

from . import memory
from .limits import bytes_for, seconds_for, why_not
from .processes import Interrupted, run_group
from .progress import duration
from .targets import is_needed


class Failed(Exception):
    """A program did not do what it was asked for; the text says why."""


@dataclass
class Budget:
    run: float = 90      # seconds that one run of a program may take
    subject: float = 25  # that all runs of one case may, of a peer that no aim names
    total: float = 1e9


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else 'it says nothing'


def run_program(command, seconds):
    """The lines that it prints, each as a dict."""
    try:
        status, printed, complaints = run_group(command, seconds, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise Failed(f'cannot be started: {error.strerror}') from error
    except subprocess.TimeoutExpired as error:
        raise Failed(f'was ended after {seconds:.0f} s') from error
    if status:
        raise Failed(f'failed with status {status}: {last_line(complaints)}')
    try:
        lines = [json.loads(line) for line in printed.splitlines() if line.strip()]
    except ValueError as error:
        raise Failed(f'printed what is no JSON: {error}') from error
    if not lines:
        raise Failed('printed nothing')
    return lines


@dataclass
class Job:
    """A case of one program, over all repetitions."""

    case: object
    program: object
    seconds: list = field(default_factory=list)  # that each run took
    stopped: bool = False

    @property
    def expected(self):
        """Seconds for the next run."""
        if self.seconds:
            return sum(self.seconds) / len(self.seconds)
        return 0.2 + seconds_for(self.program.subject, self.case)

    def runs_left(self, runs, limit):
        """Of so many runs; a peer that no aim names has at least one, and what it then has the time for."""
        if self.stopped:
            return 0
        if not is_needed(self.program.subject):
            runs = max(1, min(runs, int(limit / self.expected)))
        return max(runs - len(self.seconds), 0)

    @property
    def what(self):
        n = f' of {self.case.n:,}' if self.case.n > 1 else ''
        return f'{self.case.workload}{n}, {self.program.subject.name}'


class Runner:
    def __init__(self, cases, programs, runs, results, progress, budget=None, clock=time.monotonic):
        self.runs = runs
        self.results = results
        self.progress = progress
        self.budget = budget or Budget()
        self.clock = clock
        self.jobs = [Job(case, program) for case in cases for program in programs if program.takes(case)]
        self.is_late = False

    def time_spent(self):
        """How long each workload took, the longest first."""
        spent = {}
        for job in self.jobs:
            spent[job.case.workload] = spent.get(job.case.workload, 0) + sum(job.seconds)
        return ', '.join(f'{name} {duration(spent[name])}' for name in sorted(spent, key=spent.get, reverse=True))

    def run(self):
        """Interrupted leaves it with what was measured before, and the results say so."""
        self.begin = self.clock()
        for job in self.jobs:
            self.stop(job, why_not(job.program.subject, job.case, self.budget.run))
        self.progress.note(f'{len(self.jobs)} programs and workloads, each up to {self.runs} times: '
                           f'about {duration(self.left())}')
        for repetition in range(self.runs):
            try:
                self.run_all(repetition)
            except Interrupted:
                self.results.settings['interrupted'] = f'in run {repetition + 1} of {self.runs}'
                raise
            finally:
                self.progress.clear()
        self.progress.note(f'it took: {self.time_spent()}')

    def run_all(self, repetition):
        for job in self.jobs:
            if self.runs_left(job):
                self.run_job(job, repetition)

    def stop(self, job, why):
        if why:
            job.stopped = True
            self.results.skip(job.case, job.program.subject, why)
            self.progress.note(f'left out: {job.what}: {why}')

    def stop_late(self, job):
        """What was measured before stays."""
        job.stopped = True
        if job.seconds:
            return
        self.results.skip(job.case, job.program.subject, 'no time was left for it')
        if not self.is_late:
            self.progress.note(f'the time is too short for {job.what}, and for what would last longer')
        self.is_late = True

    def runs_left(self, job):
        return job.runs_left(self.runs, self.budget.subject)

    def left(self):
        """Seconds that the rest will take."""
        rest = sum(job.expected * self.runs_left(job) for job in self.jobs)
        return min(rest, max(self.budget.total - (self.clock() - self.begin), 0))

    def run_job(self, job, repetition):
        spent = self.clock() - self.begin
        if spent + job.expected > self.budget.total:
            self.stop_late(job)
            return
        left = self.left()
        self.progress.show(f'run {repetition + 1} of {self.runs}, {job.case.workload}', job.what,
                           spent / (spent + left) if left else 1, left)
        begin = self.clock()
        memory.fetch(bytes_for(job.program.subject, job.case))
        try:
            for command in job.program.commands_for(job.case):
                for line in run_program(command, self.budget.run):
                    self.results.add(line)
        except (Failed, ValueError) as error:
            self.stop(job, str(error))
        job.seconds.append(self.clock() - begin)
