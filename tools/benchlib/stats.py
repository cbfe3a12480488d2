# SPDX-License-Identifier: MIT
"""Several runs of the same measurement in one figure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    median: float
    low: float
    high: float
    runs: int

    @property
    def spread(self):
        """Half of the way from the lowest to the highest, as a part of the median."""
        return (self.high - self.low) / 2 / abs(self.median) if self.median else 0.0


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if not ordered:
        raise ValueError('no values')
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def summarize(values):
    return Summary(median(values), min(values), max(values), len(values))
