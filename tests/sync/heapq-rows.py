#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write heapq-rows.h: the order in which Python's heapq gives items, of which many are equal.

usage: heapq-rows.py > heapq-rows.h
"""

import heapq
import random

GET = -1


class Item:
    def __init__(self, priority, number):
        self.priority = priority
        self.number = number

    def __lt__(self, other):
        return self.priority < other.priority


def leaving(operations):
    heap, numbers, n = [], [], 0
    for operation in operations:
        if operation == GET:
            numbers.append(heapq.heappop(heap).number)
        else:
            heapq.heappush(heap, Item(operation, n))
            n += 1
    while heap:
        numbers.append(heapq.heappop(heap).number)
    return numbers


def mixed(rng, n):
    operations, size = [], 0
    for _ in range(n):
        if size and rng.random() < 0.45:
            operations.append(GET)
            size -= 1
        else:
            operations.append(rng.randint(0, 5))
            size += 1
    return operations


def field(name, numbers):
    lines = [f'          .{name} = {{']
    for index, number in enumerate(numbers):
        word = f' {number}' + (',' if index < len(numbers) - 1 else ' } }' if name == 'leaving' else ' },')
        if len(lines[-1] + word) > 109:
            lines.append('               ')
        lines[-1] += word
    return '\n'.join(lines)


def main():
    rng = random.Random(314)
    rows = [[rng.randint(0, 4) for _ in range(60)],
            [rng.randint(0, 999) for _ in range(60)],
            [7] * 30,
            list(range(30, 0, -1)),
            mixed(rng, 120)]
    print('/* SPDX-License-Identifier: MIT */')
    print('/* Written by heapq-rows.py. Operations are puts of a priority, or -1 for a get; leaving are')
    print(' * the numbers of the puts in the order of the gets. */')
    for row in rows:
        print('        { .n = %d, .n_puts = %d,' % (len(row), len(row) - row.count(GET)))
        print(field('operations', row))
        print(field('leaving', leaving(row)) + ',')


if __name__ == '__main__':
    main()
