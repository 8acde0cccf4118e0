"""What Ray is told of how far a run is, without Ray's exporter."""

from collections.abc import Iterator
from typing import Any

import pytest

from cluster import ray_metrics
from cluster.ray_metrics import RunMetrics


class FakeMetric:
    """One of ``ray.util.metrics``, that notes what it is told."""

    made: dict[str, "FakeMetric"]

    def __init__(self, name: str, description: str, tag_keys: tuple[str, ...]) -> None:
        assert description
        self.tag_keys = tag_keys
        self.tags: dict[str, str] = {}
        self.told: list[float] = []
        self.made[name] = self

    def set_default_tags(self, tags: dict[str, str]) -> None:
        self.tags = tags

    def set(self, value: float) -> None:
        self.told.append(value)

    inc = set


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, FakeMetric]]:
    FakeMetric.made = {}
    monkeypatch.setattr("ray.util.metrics.Counter", FakeMetric)
    monkeypatch.setattr("ray.util.metrics.Gauge", FakeMetric)
    return FakeMetric.made


def counters(lifecycles: int, supersteps: int, tasks: int) -> dict[str, int]:
    return {"lifecycles": lifecycles, "supersteps": supersteps, "tasks": tasks}


def test_counters_get_what_is_new_and_gauges_what_is_there(
    made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(ray_metrics, "monotonic", lambda: clock[0])
    metrics = RunMetrics("today")
    for now_s, told in ((5.0, (10, 100, 4)), (5.5, (11, 110, 3)), (6.5, (12, 100, 2))):
        clock[0] = now_s
        metrics.tell(round(now_s * 1e9), counters(*told))
    assert made["smplab_lifecycles"].told == [10, 2]
    assert made["smplab_supersteps"].told == [100]
    assert made["smplab_tasks"].told == [4, 2]
    assert made["smplab_virtual_seconds"].told == [5.0, 6.5]
    assert {metric.tags["run"] for metric in made.values()} == {"today"}
    assert {metric.tag_keys for metric in made.values()} == {("run",)}


def test_the_end_is_told_however_soon_it_comes(made: dict[str, Any]) -> None:
    metrics = RunMetrics("")
    metrics.tell(1, counters(1, 1, 1))
    metrics.tell(2, counters(3, 5, 0), last=True)
    assert made["smplab_lifecycles"].told == [1, 2]
    assert made["smplab_tasks"].told == [1, 0]
