"""How far a run is, as metrics of Ray's: dashboards and Prometheus see them.

Ray exports them as ``ray_smplab_…``, with the run's id as a tag. They are set when the engine
looks, at most once in ``_EVERY_S``, and never for an event of the machine.
"""

from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

_EVERY_S: Final = 1.0
_TAGS: Final = ("run",)

# of the engine's counters: those that only grow, and those that are as they are
_COUNTERS: Final = {
    "lifecycles": "Tasks that were released so far.",
    "supersteps": "Supersteps so far.",
}
_GAUGES: Final = {"tasks": "Tasks that exist now."}
_VIRTUAL: Final = "virtual_seconds"


class RunMetrics:
    """The metrics of one run.

    Args:
        run: its id; empty if it has none.
    """

    def __init__(self, run: str) -> None:
        from ray.util.metrics import Counter, Gauge

        def made(kind: Any, name: str, what: str) -> Any:
            metric = kind(f"smplab_{name}", description=what, tag_keys=_TAGS)
            metric.set_default_tags({"run": run})
            return metric

        self._counters = {name: made(Counter, name, what) for name, what in _COUNTERS.items()}
        self._gauges = {name: made(Gauge, name, what) for name, what in _GAUGES.items()}
        self._gauges[_VIRTUAL] = made(Gauge, _VIRTUAL, "Virtual time so far.")
        self._told: dict[str, int] = dict.fromkeys(_COUNTERS, 0)
        self._next_s = 0.0

    def tell(self, virtual_ns: int, counters: Mapping[str, int], *, last: bool = False) -> None:
        """Set all metrics, if the last time is long enough ago.

        Args:
            last: in any case: the run is over.
        """
        now_s = monotonic()
        if now_s < self._next_s and not last:
            return
        self._next_s = now_s + _EVERY_S
        for name, metric in self._counters.items():
            value = counters.get(name, 0)
            if value > self._told[name]:  # a counter refuses to be raised by nothing
                metric.inc(value - self._told[name])
                self._told[name] = value
        for name, metric in self._gauges.items():
            metric.set(virtual_ns / 1e9 if name == _VIRTUAL else counters.get(name, 0))
