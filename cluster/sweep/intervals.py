"""How sure a difference of means is: 95 % confidence intervals by Student's t.

Where both sides have the same seeds, every seed gives one difference, and the interval is that of
their mean (*paired t*): what a seed makes longer on both sides cancels out. Else the samples are
independent, and may spread differently (*Welch's t*). One run on a side has no interval.

Both assume that means are about normal, which a few runs of one program need not be; and of twenty
intervals of differences that are none, about one leaves zero out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, lgamma, log, log1p, sqrt
from statistics import fmean, variance
from typing import Final

PAIRED: Final = "paired t"
WELCH: Final = "Welch's t"
NONE: Final = ""
_LEVEL: Final = 0.95
_TERMS: Final = 300
_TINY: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of B less that of A, and what is known of it.

    Attributes:
        runs_a, runs_b: how many runs each mean is of.
        low, high: ends of the interval; None: there is none.
        test: PAIRED, WELCH or NONE.
    """

    mean_a: float
    mean_b: float
    runs_a: int
    runs_b: int
    low: float | None
    high: float | None
    test: str

    @property
    def value(self) -> float:
        """The difference."""
        return self.mean_b - self.mean_a

    @property
    def percent(self) -> float | None:
        """The difference in per cent of A; None: A is zero."""
        return 100 * self.value / self.mean_a if self.mean_a else None

    @property
    def clear(self) -> bool:
        """Whether there is an interval, and zero is not in it."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def difference(a: Mapping[int, int], b: Mapping[int, int]) -> Difference:
    """Return the difference of two samples.

    Args:
        a, b: values by seed; one at least.
    """
    mean_a, mean_b = fmean(a.values()), fmean(b.values())
    half, test = None, NONE
    if len(a) > 1 and a.keys() == b.keys():
        test = PAIRED
        changes = [b[seed] - a[seed] for seed in sorted(a)]
        half = _half(variance(changes) / len(changes), len(changes) - 1)
    elif len(a) > 1 and len(b) > 1:
        test = WELCH
        parts = [variance(each.values()) / len(each) for each in (a, b)]
        freedom = len(a) + len(b) - 2.0
        if sum(parts):
            terms = zip(parts, (len(a), len(b)), strict=True)
            freedom = sum(parts) ** 2 / sum(part**2 / (n - 1) for part, n in terms)
        half = _half(sum(parts), freedom)
    if half is None:
        return Difference(mean_a, mean_b, len(a), len(b), None, None, test)
    value = mean_b - mean_a
    return Difference(mean_a, mean_b, len(a), len(b), value - half, value + half, test)


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of a sample, and the ends of its 95 % interval; of one value, itself."""
    mean = fmean(values)
    if len(values) < 2:
        return mean, mean, mean
    half = _half(variance(values) / len(values), len(values) - 1)
    return mean, mean - half, mean + half


def _half(square: float, freedom: float) -> float:
    return t_quantile(freedom) * sqrt(square)


def t_quantile(freedom: float) -> float:
    """Return the t that Student's distribution exceeds, on either side, in 5 % of all cases.

    Args:
        freedom: degrees of freedom, above 0.
    """
    low, high = 0.0, 1.0
    while _beyond(high, freedom) > 1 - _LEVEL:
        low, high = high, 2 * high
        if high == inf:
            return inf
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _beyond(middle, freedom) > 1 - _LEVEL:
            low = middle
        else:
            high = middle
    return high


def _beyond(t: float, freedom: float) -> float:
    """Return how probable it is that |T| is more than ``t``."""
    return _beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def _beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), as a continued fraction."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(b, a, 1 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    value = c = 1.0  # Lentz's method
    d = 0.0
    for term in range(_TERMS):
        m = term // 2
        if term == 0:
            factor = 1.0
        elif term % 2 == 0:
            factor = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            factor = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / _not_zero(1 + factor * d)
        c = _not_zero(1 + factor / c)
        value *= c * d
        if term and abs(c * d - 1) < 1e-15:
            break
    return front * (value - 1)


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
