#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds a peer's program, runs each workload of it with next to nothing to do, and checks what it prints.

usage: check-peer.py BUILD FOLDER PEER

BUILD is bench/peers/build, FOLDER where it puts the program. Skipped where the peer's tools are not
installed; a peer whose tools are there has to build.
"""

import subprocess
import sys

from results import complaints_about, results_of

SKIPPED = 77

LATENESS = ['lateness_p50_us', 'lateness_p99_us', 'lateness_max_us', 'early']
WORKLOADS = {
    'sleep': (['--tasks', '10', '--seconds', '0.01'],
              ['wall_beyond', 'cpu_per_task', 'memory_per_task', 'memory_per_task_total']),
    'storm': (['--tasks', '10', '--rounds', '2', '--seed', '7'], ['fires_per_cpu_s', *LATENESS]),
    'stagger': (['--tasks', '5', '--seed', '7'], ['cpu_per_task', *LATENESS]),
    'timeouts': (['--tasks', '10'], ['never_ns', 'always_ns']),
    'cancel': (['--tasks', '10'], ['cancel_ns']),
    # Those that all have; the others are what is natural in each.
    'primitives': (['--runs', '1'], ['yield_ns', 'sleep_cancel_ns']),
}


def command_of(build, folder, peer):
    """The peer's command, or None where it is left out."""
    run = subprocess.run([build, folder, peer], stdout=subprocess.PIPE, text=True, check=True)
    lines = [line.split('\t') for line in run.stdout.splitlines()]
    if not lines:
        return None
    [(name, command, version)] = lines
    if name != peer or not version:
        raise ValueError(f'not what was asked for: {run.stdout}')
    return command


def complaints_about_peer(command, peer):
    for workload, (options, metrics) in WORKLOADS.items():
        yield from complaints_about(results_of([command, workload, *options]), peer, workload, metrics)
    for mistake in (['nap'], ['sleep', '--tasks', 'many'], ['sleep', '--pillows', '2'], []):
        run = subprocess.run([command, *mistake], capture_output=True, text=True, check=False)
        if run.returncode != 2 or run.stdout or not run.stderr:
            yield f'{mistake}: status {run.returncode}, {run.stdout}{run.stderr}'


def main(build, folder, peer):
    command = command_of(build, folder, peer)
    if command is None:
        return SKIPPED
    complaints = list(complaints_about_peer(command, peer))
    print('\n'.join(complaints) or 'as it should be')
    return bool(complaints)


sys.exit(main(*sys.argv[1:]))
