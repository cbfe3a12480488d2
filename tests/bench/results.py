# SPDX-License-Identifier: MIT
"""What a benchmark program prints: one result in a line of JSON, as tools/bench reads it."""

import json
import math
import subprocess

KEYS = {'workload': str, 'peer': str, 'form': str, 'n': int, 'metric': str, 'value': (int, float),
        'unit': str}
UNITS = {'s', 'ns', 'us', 'bytes', '1/s', 'fires'}


def results_of(command):
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def complaints_about(results, peer, workload, metrics):
    for result in results:
        if list(result) != list(KEYS):
            yield f'keys: {result}'
            continue
        for key, kind in KEYS.items():
            if not isinstance(result[key], kind):
                yield f'{key}: {result}'
        if (result['workload'], result['peer']) != (workload, peer) or result['unit'] not in UNITS:
            yield f'not of {peer}: {result}'
        if not math.isfinite(result['value']):
            yield f'no number: {result}'
        if result['unit'] == '1/s' and result['value'] <= 0:
            yield f'it cannot cost nothing: {result}'
    for form in {result['form'] for result in results}:
        found = {result['metric'] for result in results if result['form'] == form}
        if not set(metrics) <= found:
            yield f'{form}: missing {set(metrics) - found}'
    if not results:
        yield 'nothing was printed'
