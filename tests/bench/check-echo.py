#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lets bench-echo drive a server for a moment, and checks what it prints, and what it does not put up with.

usage: check-echo.py BENCH_ECHO SERVER
"""

import json
import subprocess
import sys

METRICS = {'req_per_s', 'req_per_cpu_s', 'cpu_per_req', 'latency_p50_us', 'latency_p99_us'}

# A line of options, the server, and the status that they give.
MISTAKES = [(['--connections', '0'], None, 2), (['--size', 'inf'], None, 2), (['--seconds', 'x'], None, 2),
            (['--pillows', '2'], None, 2), ([], 'false', 1), ([], '/nonexistent', 1), ([], '', 2)]


def run(client, options, server):
    command = [client, '--seconds', '0.05', '--warmup', '0', *options, '--', *([server] if server else [])]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def complaints(client, server):
    for connections, size in ((1, 1), (20, 300_000)):
        done = run(client, ['--connections', str(connections), '--size', str(size), '--peer', 'p', '--form', 'f'],
                   server)
        if done.returncode or done.stderr:
            yield f'status {done.returncode}, {done.stderr}'
        results = [json.loads(line) for line in done.stdout.splitlines()]
        if {result['metric'] for result in results} != METRICS:
            yield f'metrics: {results}'
        for result in results:
            if (result['peer'], result['form'], result['n'], result['size']) != ('p', 'f', connections, size):
                yield f'not what was asked for: {result}'
            if result['value'] <= 0:
                yield f'it cannot cost nothing: {result}'
    for options, other, status in MISTAKES:
        done = run(client, options, server if other is None else other)
        if done.returncode != status or done.stdout or not done.stderr:
            yield f'{options}, {other}: status {done.returncode}, {done.stdout}{done.stderr}'


def main(client, server):
    found = list(complaints(client, server))
    print('\n'.join(found) or 'as it should be')
    return bool(found)


sys.exit(main(*sys.argv[1:]))
