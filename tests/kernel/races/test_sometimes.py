"""Invariants are put to the test: each situation that one speaks of comes about somewhere."""

from dataclasses import replace

from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import LocalRun
from kernel.check.sometimes import Sometimes
from tests.kernel.races.conftest import machine

PROGRAMS = (
    "race/orphans_against_their_own_end.py",
    "race/leader_exit_against_last_thread.py",
    "race/vfork_child_execs.py",
    "race/ptrace_stop_against_continue.py",
    "race/exec_against_kill.py",
    "race/stop_against_continue.py",
    "race/lock_contention.py",
)


def test_every_situation_that_an_invariant_speaks_of_comes_about() -> None:
    sometimes = Sometimes()
    for number, name in enumerate(PROGRAMS):
        spec = replace(machine(name, 2), seed=number, tie_break="random")
        local = LocalRun(RunRequest(spec, max_virtual_ns=60_000_000_000))
        local.host.kernel.after_step = sometimes
        assert local.run().exit_kind == DONE
    assert sometimes.never() == []
