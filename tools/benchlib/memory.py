# SPDX-License-Identifier: MIT
"""Memory that the machine has at hand.

A virtual machine may give memory that nobody uses back to its host. To get a page of it again is work of the host's and can take
five times as long as to get one that was freed a moment ago; and who is given which depends on what ran before.
"""

import mmap

LEAST = 2**24  # less is no matter


def fetch(size):
    """Has so much memory touched and freed, so that whoever needs it next gets it from the machine itself."""
    if size < LEAST:
        return
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[::mmap.PAGESIZE] = bytes(len(range(0, size, mmap.PAGESIZE)))
