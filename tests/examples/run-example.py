#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a program on the virtual clock and compares what it prints, byte for byte.

The programs print how long they took; on the virtual clock that is exact, so a program that
takes the sum of its sleeps instead of the longest one differs here.

usage: run-example.py PROGRAM EXPECTED
"""

import difflib
import os
import subprocess
import sys


def main(program, expected_path):
    with open(expected_path, 'rb') as file:
        expected = file.read()

    environment = dict(os.environ, AUV_CLOCK='virtual')
    run = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)

    if run.returncode != 0:
        print(f'{program} ended with status {run.returncode}')
    if run.stderr:
        print('standard error:\n' + run.stderr.decode(errors='replace'))
    if run.stdout != expected:
        lines = difflib.unified_diff(expected.decode().splitlines(), run.stdout.decode(errors='replace').splitlines(),
                                     expected_path, 'printed', lineterm='')
        print('\n'.join(lines) or 'the outputs differ in their bytes')
    return run.returncode != 0 or run.stderr != b'' or run.stdout != expected


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
