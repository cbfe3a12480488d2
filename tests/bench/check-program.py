#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a benchmark program with next to nothing to do, and checks what it prints.

usage: check-program.py WORKLOAD METRICS PROGRAM [ARGUMENT...]

METRICS are those that have to be there, separated by commas. Each line is one result as tools/bench
reads it; both forms have all of them; no sleep ends early. What has no meaning on the command line
gives the usage, and nothing is measured.
"""

import subprocess
import sys

from results import complaints_about, results_of

MISTAKES = [['--form', 'stacky'], ['--pillows', '2'], ['word'], ['--tasks', '0'], ['--tasks', '1.5'], ['--tasks', '-1'],
            ['--runs', '0'], ['--seconds', 'nan'], ['--rounds'], ['--seed', '18446744073709551616']]


def complaints_about_ours(results, workload, metrics):
    yield from complaints_about(results, 'asyncuv', workload, metrics)
    forms = {result['form'] for result in results}
    if forms != {'stackless', 'stackful'}:
        yield f'forms: {forms}'
    for result in results:
        if result['metric'] == 'early' and result['value'] != 0:
            yield f'early: {result}'
        if result['unit'] == 'ns' and result['value'] <= 0:
            yield f'it cannot cost nothing: {result}'


def complaints_about_usage(program):
    for mistake in MISTAKES:
        run = subprocess.run([program, *mistake], capture_output=True, text=True, check=False)
        if run.returncode != 2 or run.stdout or 'usage: ' not in run.stderr:
            yield f'{mistake}: status {run.returncode}, {run.stdout}{run.stderr}'
    run = subprocess.run([program, '--help'], capture_output=True, text=True, check=False)
    if run.returncode or run.stderr or 'usage: ' not in run.stdout:
        yield f'--help: status {run.returncode}, {run.stdout}{run.stderr}'


def main(workload, metrics, *command):
    complaints = list(complaints_about_ours(results_of(command), workload, metrics.split(',')))
    complaints += complaints_about_usage(command[0])
    print('\n'.join(complaints) or 'as it should be')
    return bool(complaints)


sys.exit(main(*sys.argv[1:]))
