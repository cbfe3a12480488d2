# SPDX-License-Identifier: MIT
"""Numbers as one reads them."""


def grouped(value, digits=0):
    return f'{value:,.{digits}f}'


def three_digits(value):
    """With three digits that count, and no more: 0.123, 1.23, 12.3, 123, 1,234."""
    if value != value:
        return '?'
    size = abs(value)
    digits = 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2 if size >= 1 else 3
    return grouped(value, digits)


UNIT_NAMES = {'ns': 'ns', 'us': 'µs', 's': 's', 'bytes': 'bytes', '1/s': 'per second', 'fires': ''}


def with_unit(value, unit):
    name = UNIT_NAMES.get(unit, unit)
    return f'{three_digits(value)} {name}'.strip()
