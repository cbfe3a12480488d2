# SPDX-License-Identifier: MIT
"""Puts the tables where README.md has them."""

BEGIN, END = '<!-- tools/bench begins -->', '<!-- tools/bench ends -->'


def replace_between(text, lines):
    """@text with @lines between the markers; ValueError where they are not there, once each and in order."""
    before, begin, rest = text.partition(BEGIN + '\n')
    old, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f'no place for the table: {BEGIN} and {END}, once each')
    table = '\n'.join(lines).strip('\n')
    return f'{before}{begin}\n{table}\n\n{end}{after}'


def update(path, lines):
    with open(path, encoding='utf-8') as file:
        text = replace_between(file.read(), lines)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
