#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the first C program of a Markdown file to a file of its own.

usage: extract-program.py MARKDOWN OUTPUT MAX_LINES
"""

import re
import sys


def main(markdown_path, output_path, max_lines):
    with open(markdown_path, encoding='utf-8') as file:
        block = re.search(r'^```c\n(.*?)^```$', file.read(), re.MULTILINE | re.DOTALL)

    if block is None:
        return f'{markdown_path}: no C program'
    program = block.group(1)
    n_lines = program.count('\n')
    if n_lines > int(max_lines):
        return f'{markdown_path}: the first C program has {n_lines} lines, more than {max_lines}'
    with open(output_path, 'w', encoding='utf-8') as file:
        file.write(program)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
