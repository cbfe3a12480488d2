# SPDX-License-Identifier: MIT
"""What the figures were measured on."""

import datetime
import os
import platform
import re
import subprocess


def first_match(path, pattern, default='unknown'):
    try:
        with open(path, encoding='utf-8') as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return default
    return found[1].strip() if found else default


def output_of(*command):
    """The first line that a command prints; nothing where it cannot be run or fails."""
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ''
    return run.stdout.strip().partition('\n')[0]


def memory_bytes(field):
    return int(first_match('/proc/meminfo', rf'^{field}: *(\d+) kB', '0')) * 1024


def describe(source):
    """Of this machine, and of the sources in that folder."""
    commit = output_of('git', '-C', source, 'rev-parse', '--short', 'HEAD')
    if commit and output_of('git', '-C', source, 'status', '--porcelain', '--untracked-files=no'):
        commit += ', changed'
    return {
        'CPU': first_match('/proc/cpuinfo', r'^(?:model name|Hardware)\s*:(.*)$', platform.machine()),
        'cores': len(os.sched_getaffinity(0)),
        'memory': f"{memory_bytes('MemTotal') / 2**30:.1f} GiB",
        'system': first_match('/etc/os-release', r'^PRETTY_NAME="(.*)"$'),
        'kernel': 'Linux ' + re.match(r'[\d.]*\d', platform.release())[0],
        'architecture': platform.machine(),
        'compiler': output_of('cc', '--version'),
        'libuv': output_of('pkg-config', '--modversion', 'libuv'),
        'commit': commit or 'unknown',
        'date': datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
    }
