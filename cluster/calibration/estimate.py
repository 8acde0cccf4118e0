"""Estimates from few samples of a noisy host: a median and an interval of ranks."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median
from typing import Final

CONFIDENCE: Final = 0.95
NOISY: Final = 0.10  # half an interval as a part of its median: wider is said to be noisy


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median between two ranks. ``coverage``: how often such an interval has the true median."""

    value: float
    low: float
    high: float
    coverage: float

    @property
    def spread(self) -> float:
        """Half the interval as a part of the value; 0 if there is nothing to compare with."""
        return (self.high - self.low) / 2 / abs(self.value) if self.value else 0.0

    @property
    def noisy(self) -> bool:
        """Tell whether the interval is too wide for the value to be of use."""
        return self.spread > NOISY


def estimate(samples: Sequence[float]) -> Estimate:
    """Return the median of independent samples and the narrowest interval of ranks that is safe.

    No shape of the noise is assumed: the true median is above a sample, or below, with even
    chances. The interval has 95 % of it, if there are samples enough (6), else it is all of them.

    Raises:
        ValueError: there is no sample.
    """
    ordered = sorted(samples)
    count = len(ordered)
    if not count:
        raise ValueError("nothing was measured")
    cut = 0
    while 2 * (cut + 1) < count and _coverage(count, cut + 1) >= CONFIDENCE:
        cut += 1
    return Estimate(median(ordered), ordered[cut], ordered[-1 - cut], _coverage(count, cut))


def _coverage(count: int, cut: int) -> float:
    """Return how often the median lies between the ranks ``cut`` from either end."""
    outside: int = sum(comb(count, below) for below in range(cut + 1))
    return max(0.0, 1.0 - 2.0 * outside / (1 << count))
