#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a benchmark program with next to nothing to do, and checks what it prints.

usage: check-program.py WORKLOAD METRICS PROGRAM [ARGUMENT...]

METRICS are those that have to be there, separated by commas. Each line is one result as tools/bench
reads it, from each form that the program has; no sleep ends early.
"""

import json
import math
import subprocess
import sys

KEYS = {'workload': str, 'peer': str, 'form': str, 'n': int, 'metric': str, 'value': (int, float), 'unit': str}
UNITS = {'s', 'ns', 'us', 'bytes', '1/s', 'fires'}


def results_of(command):
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def complaints_about(results, workload, metrics):
    for result in results:
        if list(result) != list(KEYS):
            yield f'keys: {result}'
            continue
        for key, kind in KEYS.items():
            if not isinstance(result[key], kind):
                yield f'{key}: {result}'
        if (result['workload'], result['peer']) != (workload, 'asyncuv') or result['unit'] not in UNITS:
            yield f'not ours: {result}'
        if not math.isfinite(result['value']):
            yield f'no number: {result}'
        if result['metric'] == 'early' and result['value'] != 0:
            yield f'early: {result}'
        if result['unit'] in ('ns', '1/s') and result['value'] <= 0:
            yield f'it cannot cost nothing: {result}'
    for form in {result['form'] for result in results}:
        found = {result['metric'] for result in results if result['form'] == form}
        if not set(metrics) <= found:
            yield f'{form}: missing {set(metrics) - found}'
    if not results:
        yield 'nothing was printed'


def main(workload, metrics, *command):
    complaints = list(complaints_about(results_of(command), workload, metrics.split(',')))
    print('\n'.join(complaints) or 'as it should be')
    return bool(complaints)


sys.exit(main(*sys.argv[1:]))
