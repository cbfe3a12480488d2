# SPDX-License-Identifier: MIT
"""Memory that the machine has at hand.

A virtual machine may give memory that nobody uses back to its host. To get a page of it again is work of the host's,
and takes several times as long as to get one that was freed a moment ago; who is given which depends on what ran
before.
"""

import mmap

LEAST = 2**24  # less is no matter
STEP = 2**26   # between two looks at whether a signal has come


def fetch(size):
    """Has so much memory touched and freed, so that whoever needs it next gets it from the machine itself.

    A machine that has not so much leaves it at that: what needs it will say so.
    """
    if size < LEAST:
        return
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:
        return
    with memory:
        for begin in range(0, size, STEP):
            end = min(begin + STEP, size)
            memory[begin:end:mmap.PAGESIZE] = bytes(len(range(begin, end, mmap.PAGESIZE)))
