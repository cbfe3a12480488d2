#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs the project into an empty folder, and builds and runs a program against that.

The program knows of nothing but what pkg-config says about the installed files.

usage: test-install.py BUILD_FOLDER PREFIX PROGRAM.c COMPILER [ARGUMENT...]
"""

import os
import pathlib
import subprocess
import sys
import tempfile


def output_of(command, **environment):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                          env=dict(os.environ, **environment)).stdout


def find_one(folder, name):
    found = sorted(folder.rglob(name))
    if len(found) != 1:
        sys.exit(f'{name}: installed {len(found)} times, not once: {found}')
    return found[0]


def main(build_folder, prefix, program, *compiler):
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary)
        installed = root / prefix.lstrip('/')

        output_of(['meson', 'install', '-C', build_folder, '--no-rebuild', '--quiet'], DESTDIR=temporary)
        pkgconfig_folder = find_one(installed, 'asyncuv.pc').parent
        library_folder = find_one(installed, 'libasyncuv.so.0').parent
        find_one(installed, 'libasyncuv.a')
        find_one(installed, 'asyncuv.h')

        # What lies below a DESTDIR is meant to be moved to its prefix: tell pkg-config where it is now.
        flags = output_of(['pkg-config', '--cflags', '--libs', f'--define-variable=prefix={installed}', 'asyncuv'],
                          PKG_CONFIG_PATH=str(pkgconfig_folder)).split()
        outside = root / 'outside'
        output_of([*compiler, program, '-o', str(outside), *flags])
        print(output_of([str(outside)], LD_LIBRARY_PATH=str(library_folder)), end='')


if __name__ == '__main__':
    main(*sys.argv[1:])
