"""Under the scheme ``exact`` no effect ever comes late; an engine that let one would not go on.

A late effect raises InvariantError there, so every other test under ``exact`` asks this, too. Here
are all shipped configurations, scaled down where they are large, and guest programs whose tasks
change CPUs while signals, wake-ups and tracers are after them.
"""

from pathlib import Path

import pytest

from cluster.build import guest_spec, resolve
from cluster.config import load_config
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(path.name for path in (ROOT / "configs").glob("*.yaml"))
SMALLER = {
    "storm_100k.yaml": {"parents": 12, "children": 5},
    "fork_exec_storm.yaml": {"children": 20},
    "cow_touch.yaml": {"rounds": 2},
    "prefork_server.yaml": {"requests": 400},
}
PROGRAMS = (
    "ptrace/stop_of_threads.py",
    "thread/exec_from_non_leader.py",
    "signal/default_actions.py",
    "pipe/ping_pong.py",
    "wait/mixed_children.py",
)


def late(result):
    assert result.exit_kind == DONE, result.message
    return result.summary["causality"]["violations"]


@pytest.mark.parametrize("granularity", ["syscall", "step"])
@pytest.mark.parametrize("name", CONFIGS)
def test_no_effect_comes_late_in_a_shipped_configuration(name, granularity):
    settings = [f"workloads.0.params.{key}={value}" for key, value in SMALLER.get(name, {}).items()]
    settings += ["sync.scheme=exact", "engine=local", f"granularity={granularity}"]
    spec = resolve(load_config(ROOT / "configs" / name, [("--set", text) for text in settings]))
    assert late(run_local(RunRequest(spec, scheme="exact"))) == 0


@pytest.mark.parametrize("granularity", ["syscall", "step"])
@pytest.mark.parametrize("cpus", [2, 3])
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_effect_comes_late_in_a_guest_program(name, cpus, granularity):
    tie_break = "random" if granularity == "step" else "order"
    for seed in (1, 7, 493):
        spec = guest_spec(
            ROOT / "tests" / "guest" / name, [],
            cpus=cpus, seed=seed, granularity=granularity, tie_break=tie_break,
        )  # fmt: skip
        assert late(run_local(RunRequest(spec, scheme="exact"))) == 0
