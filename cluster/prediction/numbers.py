"""What both sides of a prediction are asked, and errors of one against the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: Measures of a run, in the order of the table: unit ("/s", "ns" or "") by name.
MEASURES: Final = {
    "throughput": "/s",
    "makespan": "ns",
    "cpu_time": "ns",
    "switches": "",
    "fork_mean": "ns",
    "fork_p50": "ns",
    "fork_p95": "ns",
    "fork_p99": "ns",
    "wait_mean": "ns",
    "wait_p50": "ns",
    "wait_p95": "ns",
    "speed": "ns",  # a dozen statements: whether the host is as fast as when it was measured
}
PERCENTS: Final = {"p50": 50, "p95": 95, "p99": 99}

Numbers = dict[str, float]


def latencies(name: str, samples: Sequence[int]) -> Numbers:
    """Return mean and percentiles of ``samples``, as far as the table has them; nothing of none.

    A percentile is the least sample that as many percent of them do not exceed.
    """
    if not samples:
        return {}
    ordered = sorted(samples)
    found = {f"{name}_mean": sum(ordered) / len(ordered)}
    for word, percent in PERCENTS.items():
        found[f"{name}_{word}"] = float(ordered[-(-len(ordered) * percent // 100) - 1])
    return {key: value for key, value in found.items() if key in MEASURES}


@dataclass(frozen=True, slots=True)
class Row:
    """One measure: emulated, and on the host as median and interval over the repetitions."""

    measure: str
    emulated: float
    native: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """How far off the prediction is, as a part of what the host did."""
        return self.emulated / self.native - 1 if self.native else 0.0
