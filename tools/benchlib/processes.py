# SPDX-License-Identifier: MIT
"""Programs that are started with all that they start themselves, and signals that end this one."""

import os
import signal
import subprocess


class Interrupted(BaseException):
    """A signal has come that ends programs."""

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


def raise_interrupted():
    """From here on at SIGINT and SIGTERM. The second one ends this program at once."""
    def handle(number, _):
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.SIG_DFL)
        raise Interrupted(number)

    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, handle)


def end_group(process, ending=signal.SIGKILL):
    """A process that was started as the leader of a group, and all that it has started."""
    if process.poll() is None:
        os.killpg(process.pid, ending)
        process.communicate()


def run_group(command, seconds=None, **options):
    """A process that has ended, with what it printed and what it complained of; none of its group is left."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True, start_new_session=True, **options)
    try:
        printed, complaints = process.communicate(timeout=seconds)
    finally:
        end_group(process)
    return process.returncode, printed, complaints
