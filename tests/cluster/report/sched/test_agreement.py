"""What the readers of a schedule say agrees with the run's summary, and with one another."""

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.cli.main import run_command
from kernel.costs import Costs


@pytest.fixture
def tell(run: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def values(*words: str) -> list[Any]:
        capsys.readouterr()
        assert run_command(["sched", words[0], str(run), "--json", *words[1:]]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return values


def test_every_switch_and_every_migration_is_told(tell: Any, summary: dict[str, Any]) -> None:
    (stats,) = tell("stats")
    total = summary["switches"]["total"]
    assert sum(cpu["switches"] for cpu in stats["cpus"]) == total
    assert len(tell("map")) == total
    *runs, last = tell("timehist", "-S")
    assert len(runs) == last["total"]["switches"] == total
    moved = summary["migrations"]["total"]
    assert sum(cpu["migrations_in"] for cpu in stats["cpus"]) == moved
    assert sum(task["migrations"] for task in last["tasks"]) == moved


def test_waits_are_as_many_as_the_summary_says_and_as_long(
    tell: Any, summary: dict[str, Any]
) -> None:
    (stats,), (latency,) = tell("stats"), tell("latency")
    counted = summary["latency_ns"]["runqueue_wait"]
    waits = stats["waits_ns"]
    assert waits["all"]["count"] == latency["total"]["switches"] == counted["count"]
    # the summary's waits end after the switch
    assert waits["all"]["max"] + Costs().context_switch == counted["max"]
    assert max(task["max_ns"] for task in latency["tasks"]) == waits["all"]["max"]
    kinds = ("queue", "preempted", "migrated")
    assert sum(waits[kind]["total"] for kind in kinds) == waits["all"]["total"]


def test_run_time_and_idling_are_all_the_time_of_the_cpus(
    tell: Any, summary: dict[str, Any]
) -> None:
    (stats,), (latency,) = tell("stats"), tell("latency")
    (last,) = tell("timehist", "-s")
    all_ns = summary["run"]["virtual_ns"] * summary["machine"]["cpus"]
    idle_ns = sum(cpu["idle_ns"] for cpu in stats["cpus"])
    assert latency["total"]["run_ns"] == last["total"]["run_ns"] == all_ns - idle_ns
    assert last["total"]["idle_ns"] == idle_ns
    # the summary does not count the switches to an idle task, and interrupts of it, as idling
    times = summary["cpu_time_ns"]
    assert times["idle"] <= idle_ns <= times["idle"] + times["system"]
    for cpu in stats["cpus"]:
        shares = ("deadline_ns", "rt_ns", "fair_ns", "idle_ns")
        assert sum(cpu[name] for name in shares) == summary["run"]["virtual_ns"]


def test_tasks_that_ran_meanwhile_fill_the_longest_waits(tell: Any) -> None:
    (stats,) = tell("stats", "--longest", "5")
    assert len(stats["longest"]) == 5
    for wait in stats["longest"]:
        ran_ns = sum(one["run_ns"] for one in wait["ran_meanwhile"])
        assert ran_ns == wait["end_ns"] - wait["start_ns"]
        assert wait["pid"] not in [one["pid"] for one in wait["ran_meanwhile"]]


def test_a_policy_and_a_nice_value_that_are_set_are_in_the_trace(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["trace", str(run), "--event", "task_change"]) == 0
    out = capsys.readouterr().out
    assert "field=policy value=5" in out
    assert "field=policy value=1" in out
