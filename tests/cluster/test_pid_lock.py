"""``kernel.pid_lock: tasklist``: one lock guards numbers and task list; all else is the same."""

from pathlib import Path
from typing import Any

import pytest
import smplab

from tests.cluster.small_storm import small_storm


def locks(run: smplab.Run) -> dict[str, dict[str, Any]]:
    assert run.exit_kind == "done", run.message
    return {lock["name"]: lock for lock in run.summary["locks"]}


def test_every_hold_of_the_pid_lock_becomes_one_of_tasklist_lock(tmp_path: Path) -> None:
    own = small_storm(tmp_path, **{"check": True})
    one = small_storm(tmp_path, **{"check": True, "kernel.pid_lock": "tasklist"})
    before, after = locks(own), locks(one)
    assert "pidmap_lock" not in after
    taken = before["tasklist_lock"]["acquisitions"] + before["pidmap_lock"]["acquisitions"]
    assert after["tasklist_lock"]["acquisitions"] == taken
    assert own.summary["lifecycles"] == one.summary["lifecycles"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_orders_of_steps_never_take_the_one_lock_twice(tmp_path: Path, seed: int) -> None:
    settings = {
        "check": True,
        "granularity": "step",
        "kernel.pid_lock": "tasklist",
        "sync.tie_break": "random",
        "seed": seed,
        "workloads.0.params.parents": 1,
    }
    assert "pidmap_lock" not in locks(small_storm(tmp_path, **settings))
