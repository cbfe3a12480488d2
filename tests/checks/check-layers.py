#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the layers of lib/ depend on each other in one direction.

A folder may include itself and the folders below it; <uv.h> belongs to two of them; and no
file is longer than a reader can hold in the head.

usage: check-layers.py PROJECT_FOLDER
"""

import pathlib
import re
import sys

# Lowest first.
LAYERS = ['base', 'coro', 'loop', 'task', 'sync', 'io', 'debug']
LAYERS_WITH_LIBUV = ['loop', 'io']
SOURCE_SUFFIXES = ['.c', '.h', '.S']
MAX_LINES = 800

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def layer_of(lib, path):
    """The layer that a file stands in; None outside of lib/ and directly in it."""
    try:
        parts = path.resolve().relative_to(lib.resolve()).parts
    except ValueError:
        return None
    return parts[0] if len(parts) > 1 else None


def check_includes(lib, path, text):
    layer = layer_of(lib, path)
    if layer not in LAYERS:
        yield f'{path}: not in one of the layers {", ".join(LAYERS)}'
        return

    for bracket, name in INCLUDE.findall(text):
        if bracket == '<':
            if name == 'uv.h' and layer not in LAYERS_WITH_LIBUV:
                yield f'{path}: <uv.h> in {layer}/; it belongs to {" and ".join(LAYERS_WITH_LIBUV)}'
            continue
        beside = path.parent / name
        included = layer_of(lib, beside if beside.exists() else lib / name)
        if included not in LAYERS:
            yield f'{path}: "{name}" is no file of a layer'
        elif LAYERS.index(included) > LAYERS.index(layer):
            yield f'{path}: {layer}/ includes "{name}", which is of the higher layer {included}/'


def check(project):
    lib = project / 'lib'
    sources = sorted(path for path in lib.rglob('*') if path.suffix in SOURCE_SUFFIXES)
    if not sources:
        yield f'{lib}: no sources'
    for path in sources:
        yield from check_includes(lib, path, path.read_text(encoding='utf-8'))
    for path in sources + sorted((project / 'include').rglob('*.h')):
        n_lines = path.read_text(encoding='utf-8').count('\n')
        if n_lines > MAX_LINES:
            yield f'{path}: {n_lines} lines, more than {MAX_LINES}'


def main(project):
    problems = list(check(pathlib.Path(project)))
    print('\n'.join(problems) or 'the layers hold')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
