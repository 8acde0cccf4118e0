"""Invariants are put to the test: each situation that one speaks of comes about somewhere."""

import ast
from dataclasses import replace
from pathlib import Path

from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import LocalRun
from kernel.check.sometimes import EXERCISED, SITUATIONS, Sometimes
from tests.kernel.races.conftest import machine

CHECKS = Path(__file__).resolve().parents[3] / "kernel" / "check"
AT_THE_END = {"left_over"}  # of a whole run, of which there always is one

PROGRAMS = (
    "race/orphans_against_their_own_end.py",
    "race/leader_exit_against_last_thread.py",
    "race/vfork_child_execs.py",
    "race/ptrace_stop_against_continue.py",
    "race/exec_against_kill.py",
    "race/stop_against_continue.py",
    "race/lock_contention.py",
    "race/policies_from_two_sides.py",
    "race/number_taken_again.py",
    "cgroup/moving_processes.py",
)


def test_every_situation_that_an_invariant_speaks_of_comes_about() -> None:
    sometimes = Sometimes()
    for number, name in enumerate(PROGRAMS):
        spec = replace(machine(name, 2), seed=number, tie_break="random")
        local = LocalRun(RunRequest(spec, max_virtual_ns=60_000_000_000))
        local.host.kernel.after_step = sometimes
        assert local.run().exit_kind == DONE
    assert sometimes.never() == []


def test_every_check_names_the_situations_that_exercise_it_and_every_situation_has_a_check() -> (
    None
):
    checks = {
        function.name
        for path in CHECKS.glob("*.py")
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef)
        and any(
            word in ast.unparse(function) for word in ("found.append", "found +=", "found.extend")
        )
    }
    assert checks - AT_THE_END == set(EXERCISED)
    assert {name for names in EXERCISED.values() for name in names} == set(SITUATIONS)
