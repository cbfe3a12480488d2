# SPDX-License-Identifier: MIT
"""From values to places on an axis, and what is written beside it."""

import math


def short(value):
    """A tick: 1, 10, 1,000, 100,000, 1 M; 0.5; 50."""
    if value >= 1e6:
        return f'{value / 1e6:g} M'
    return f'{value:,.0f}' if value >= 1 else f'{value:g}'


class Log:
    """Ten times as much is as far everywhere. Values below @floor stand at it."""

    def __init__(self, values, begin, end, floor=None):
        values = [value for value in values if value > 0] or [1]
        self.low, self.high = min(values), max(values)
        if floor is not None:
            self.low = max(self.low, floor)
        self.low = min(self.low, self.high)
        self.low, self.high = self.step_down(self.low), self.step_up(self.high)
        if self.low == self.high:
            self.low, self.high = self.low / 10, self.high * 10
        self.begin, self.end = begin, end

    @staticmethod
    def step_down(value):
        """To the next of 1, 2, 5 in its decade, so that little of the axis is empty."""
        decade = 10.0 ** math.floor(math.log10(value) + 1e-9)
        return max(step * decade for step in (1, 2, 5) if step * decade <= value * (1 + 1e-9))

    @staticmethod
    def step_up(value):
        decade = 10.0 ** math.floor(math.log10(value) + 1e-9)
        return min(step * decade for step in (1, 2, 5, 10) if step * decade >= value * (1 - 1e-9))

    def place(self, value):
        value = min(max(value, self.low), self.high)
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return self.begin + part * (self.end - self.begin)

    def ticks(self):
        """(value, text) with the text empty for lines without one."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        few = math.log10(self.high / self.low) < 2.5
        for power in decades:
            for step in (1, 2, 5):
                value = step * 10.0 ** power
                if self.low * 0.999 <= value <= self.high * 1.001:
                    yield value, short(value) if step == 1 or few else ''


class Linear:
    """From 0 on."""

    def __init__(self, values, begin, end):
        self.step = self.step_for(max([*values, 0]) or 1)
        self.high = self.step * math.ceil(max([*values, 0]) / self.step or 1)
        self.begin, self.end = begin, end

    @staticmethod
    def step_for(high, n=6):
        decade = 10.0 ** math.floor(math.log10(high / n))
        return next(step * decade for step in (1, 2, 5, 10) if step * decade * n >= high)

    def place(self, value):
        return self.begin + value / self.high * (self.end - self.begin)

    def ticks(self):
        for i in range(round(self.high / self.step) + 1):
            value = i * self.step
            yield value, f'{value:g}' if value < 1000 else short(value)
