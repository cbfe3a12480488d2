# SPDX-License-Identifier: MIT
"""Tables as text: in Markdown's form, with the columns lined up, so that a terminal shows them well, too."""

import textwrap

from . import columns
from .numbers import three_digits
from .targets import LIBUV, verdicts


def lines_of(head, rows, left=1):
    """A table; the first @left columns are aligned to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells):
        padded = [cell.ljust(width) if i < left else cell.rjust(width)
                  for i, (cell, width) in enumerate(zip(cells, widths))]
        return '| ' + ' | '.join(padded) + ' |'

    rule = '|'.join('-' * (width + 2) if i < left else '-' * (width + 1) + ':' for i, width in enumerate(widths))
    return [line(head), f'|{rule}|', *(line(row) for row in rows)]


def summary_table(chosen, results):
    rows = [[subject.name, *texts] for subject, texts in columns.rows_of(chosen, results)]
    used = [i for i in range(len(chosen)) if any(row[i + 1] != '-' for row in rows)]
    if not used:
        return []
    head = ['', *(chosen[i].title for i in used)]
    return [*lines_of(head, [[row[0], *(row[i + 1] for i in used)] for row in rows]), '']


def echo_table(results):
    """A column for each number of connections and size of a message."""
    found = {(s.subject, s.variant.get('size', 0), s.n): s.summary.median
             for s in results.find('echo', 'req_per_cpu_s')}
    points = sorted({key[1:] for key in found})
    rows = [[subject.name, *(three_digits(found[subject, *point] / 1000) if (subject, *point) in found else '-'
                             for point in points)] for subject in results.subjects('echo')]
    if not rows:
        return []
    head = ['', *(f'{n:,} x {size:,}' for size, n in points)]
    lines = ["Echo: thousands of requests for each second of the server's CPU time, by connections and bytes:", '',
             *lines_of(head, rows), '']
    ratios = [[subject.name, *(three_digits(found[subject, *point] / found[LIBUV, *point])
                               if (subject, *point) in found and (LIBUV, *point) in found else '-'
                               for point in points)] for subject in results.subjects('echo') if subject != LIBUV]
    if any(set(row[1:]) != {'-'} for row in ratios):
        lines += ['The same by what raw libuv does:', '', *lines_of(head, ratios), '']
    return lines


def machine_line(results):
    machine = results.machine
    return (f"{machine.get('CPU')}, {machine.get('cores')} cores, {machine.get('memory')}, {machine.get('system')}, "
            f"{machine.get('kernel')}; medians of {results.runs()}{results.interrupted()}; "
            f"commit {machine.get('commit')}, {machine.get('date')}.")


def versions_line(results):
    """The peers' own words: "libuv 1.44.2"."""
    versions = [version for peer, version in results.versions.items() if version and peer != 'asyncuv']
    return 'Beside it: ' + '; '.join(dict.fromkeys(versions)) + '.'


def summary_lines(results):
    """What README.md shows: the two tables, and on what they were measured."""
    lines = []
    for names, what in columns.sleep_legend(results):
        lines += textwrap.wrap(f'{names}: {what}', 98, initial_indent='* ', subsequent_indent='  ')
    sleeping = summary_table(columns.sleep_columns(results), results)
    if sleeping:
        lines += ['', *sleeping]
    primitives = summary_table(columns.primitive_columns(results), results)
    if primitives:
        lines += ['Nanoseconds for the primitives; gather for each of its children:', '', *primitives]
    lines += echo_table(results)
    lines += textwrap.wrap(machine_line(results), 98)
    if results.fewer_runs():
        lines += textwrap.wrap(f'Fewer runs than others: {"; ".join(results.fewer_runs())}.', 98)
    if len(results.versions) > 1:
        lines += textwrap.wrap(versions_line(results), 98)
    return lines


def comparison_lines(results):
    rows = [[v.what, v.measured, v.aim, 'yes' if v.holds else 'no'] for v in verdicts(results)]
    return lines_of(['what', 'measured', 'aim', 'holds'], rows, left=3) if rows else []
