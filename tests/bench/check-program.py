#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a benchmark program with next to nothing to do, and checks what it prints.

usage: check-program.py WORKLOAD METRICS PROGRAM [ARGUMENT...]

METRICS are those that have to be there, separated by commas. Each line is one result as tools/bench
reads it; both forms have all of them; no sleep ends early.
"""

import sys

from results import complaints_about, results_of


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


def main(workload, metrics, *command):
    complaints = list(complaints_about_ours(results_of(command), workload, metrics.split(',')))
    print('\n'.join(complaints) or 'as it should be')
    return bool(complaints)


sys.exit(main(*sys.argv[1:]))
