"""Generators: when the instances of a workload start. What a config can name under ``arrivals``.

    workloads:
      - program: prefork_server
        instances: 1000000
        arrivals: {pattern: poisson, rate: 2000}

A generator is a few numbers; the kernel works out the next start when it needs it
(``kernel.boot.arrivals``), so a million instances are one line here and one timer there.
"""

from dataclasses import dataclass
from typing import Final

from kernel.uapi.clock import NSEC_PER_SEC


@dataclass(frozen=True, slots=True)
class Generator:
    """One pattern: what it does, and which keys beside ``pattern`` it needs."""

    summary: str
    keys: tuple[str, ...]


GENERATORS: Final[dict[str, Generator]] = {
    "uniform": Generator("One instance after the other, `every` apart.", ("every",)),
    "burst": Generator("`size` instances at once, again after `every`.", ("every", "size")),
    "poisson": Generator("Independent arrivals, `rate` per virtual second (seeded).", ("rate",)),
}


def mean_gap_ns(rate: int) -> int:
    """Return the mean gap of ``rate`` arrivals per virtual second, rounded to whole ns."""
    return (NSEC_PER_SEC + rate // 2) // rate
