"""Who takes a step has a number of its own at any time, and so a schedule is one run."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cluster.race.actors import actor_of, actor_told, in_memory_order
from cluster.race.run import Control, Scenario, run_once
from cluster.race.strategies import STRATEGIES, Learned
from cluster.race.watch import following
from kernel.drive.ways import WAYS
from tests.cluster.race.conftest import scenario_of

# sleeps that time out while a child wakes the sleeper, and two alarms at once
TIMERS = """\
import os
import select
import signal

signal.signal(signal.SIGALRM, lambda number, frame: None)
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    signal.setitimer(signal.ITIMER_REAL, 0.00002)
    os.write(w, b"x")
    signal.pause()
    os._exit(0)
select.select([r], [], [], 0.00002)
signal.setitimer(signal.ITIMER_REAL, 0.00002)
signal.pause()
os.waitpid(pid, 0)
"""

# stores to three places of one page, in no order under pso
STORES = """\
import mmap
import os

from workloads import guest

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
for place in (0, 4, 8):
    guest.WRITE_ONCE(memory, place + 64 * bool(pid), 1)
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
"""


class _Looking(Control):
    """Says whether two of what can go have one number, and how often there was a choice of both."""

    def __init__(self, scenario: Scenario, seed: int = 0) -> None:
        super().__init__(scenario, STRATEGIES["random"](Random(seed), Learned()))
        self.twice: set[str] = set()
        self.branches: set[int] = set()

    def choose(self, enabled) -> int:
        actors = [actor_of(entry) for entry in enabled]
        if len(set(actors)) < len(actors):
            self.twice.add(f"{[(entry.op[0], entry.cpu) for entry in enabled]}")
        self.branches.update(entry.branch for entry in enabled)
        return super().choose(enabled)


def _twin(scenario: Scenario) -> Scenario:
    """Return a scenario in which init starts the program twice at once."""
    (spawn,) = scenario.spec.spawns
    return replace(scenario, spec=replace(scenario.spec, spawns=(spawn, spawn)))


def _program(folder: Path, text: str) -> Scenario:
    path = folder / "program.py"
    path.write_text(text)
    return scenario_of(path)


@pytest.mark.parametrize("name", ["twin", "timers", "tso", "pso"])
def test_no_two_that_can_go_have_one_number_and_the_schedule_makes_the_run_again(
    name: str, fork: Scenario, tmp_path: Path
) -> None:
    if name == "twin":
        scenario = _twin(fork)
    else:
        scenario = _program(tmp_path, TIMERS if name == "timers" else STORES)
        if name != "timers":
            scenario = replace(scenario, spec=replace(scenario.spec, memory_model=name))
    branches: set[int] = set()
    with following():
        for seed in range(8):
            control = _Looking(scenario, seed)
            run = run_once(scenario, control, watch=None)
            assert not control.twice
            branches |= control.branches
            again = run_once(scenario, Control(scenario, None, run.actors), watch=None)
            assert (again.digest, again.actors, again.names) == (run.digest, run.actors, run.names)
    assert branches >= {"twin": {0, 1, 2}, "pso": {0, 1, 2}}.get(name, {0})


def test_a_timer_that_wakes_a_task_is_an_actor_of_its_own(tmp_path: Path) -> None:
    scenario = _program(tmp_path, TIMERS)
    control = _Looking(scenario)
    run_once(scenario, control, watch=None)
    assert control.branches > {0, 1}


def test_actors_are_told_in_words() -> None:
    class Entry:
        op = ("enter", 0, None)
        now_ns = serial = 0
        cpu = 3
        task = None
        branch = 0

    assert actor_told(actor_of(Entry())) == "stores of cpu 3"
    Entry.branch = 2
    assert actor_told(actor_of(Entry())) == "stores of cpu 3 (place 3)"
    Entry.task = type("Task", (), {"pid": 7})()
    assert actor_told(actor_of(Entry())) == "timer 2 of task:7"
    Entry.task.pid = 1
    assert actor_told(actor_of(Entry())) == "start 2 by init"
    Entry.branch = 0
    assert actor_told(actor_of(Entry())) == "task:1"


def test_a_way_to_do_an_access_is_an_actor_of_its_own_and_leads_back_to_the_path() -> None:
    path = 7 + 3 * (1 << 22)
    way = path + 2 * WAYS * (1 << 22)
    assert actor_told(way) == "timer 3 of task:7 (way 2)"
    assert in_memory_order(way) == path
    assert in_memory_order(-5) == -5
