"""Deadlocks and lost wake-ups are told when they come about, with who waits for whom."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cluster.race.run import CLEAN, ENDLESS, STUCK, Control, Run, Scenario, run_once
from cluster.race.scenario import load_scenario
from cluster.race.strategies import STRATEGIES, Learned, Pos
from cluster.race.waits import LOST
from cluster.race.watch import following
from tests.cluster.race.conftest import scenario_of

RACES = Path(__file__).parents[3] / "configs" / "races"

# 3 waits for 4 and 5, which wait for each other's pipe; 6 runs meanwhile
CIRCLE = """\
import os

pipes = [os.pipe(), os.pipe()]
for number in (0, 1):
    if os.fork() == 0:
        os.close(pipes[number][1])
        os.close(pipes[1 - number][0])
        os.read(pipes[number][0], 1)
        os.write(pipes[1 - number][1], b"x")
        os._exit(0)
for read_end, write_end in pipes:
    os.close(read_end)
    os.close(write_end)
if os.fork() == 0:
    for _ in range(300):
        os.umask(0)
        os.getppid()
    os._exit(0)
for _ in range(3):
    os.wait()
"""

OWN_PIPE = """\
import os
import signal

read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    read_end, write_end = os.pipe()
    os.read(read_end, 1)
for _ in range(5):
    os.getpid()
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
"""

LOCKS = """\
import threading

one, two = threading.Lock(), threading.Lock()


def work(first, second):
    with first:
        with second:
            pass


thread = threading.Thread(target=work, args=(one, two))
thread.start()
work(two, one)
thread.join()
"""

FUTEX = """\
import mmap
import os

from workloads import guest

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    guest.futex_wait(memory, 0, 0)
    os._exit(0)
os.waitpid(pid, 0)
"""

SPIN = """\
import mmap
import os

from workloads import guest

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    while guest.READ_ONCE(memory, 0) == 0:
        pass
    os._exit(0)
guest.WRITE_ONCE(memory, 0, VALUE)
os.waitpid(pid, 0)
"""


def _scenario(folder: Path, text: str) -> Scenario:
    path = folder / "program.py"
    path.write_text(text)
    return scenario_of(path)


def _run(scenario: Scenario, seed: int = 1) -> Run:
    return run_once(scenario, Control(scenario, Pos(Random(seed), Learned())), watch=None)


def test_a_circle_of_tasks_is_told_while_others_run(tmp_path: Path) -> None:
    run = _run(_scenario(tmp_path, CIRCLE), 2)
    assert (run.verdict.kind, run.verdict.signature) == (STUCK, "deadlock: read, read")
    assert run.verdict.text.splitlines()[1:3] == [
        "  python3 (4) sleeps in read for something to read in a pipe; "
        "who could wake it: python3 (5)",
        "  python3 (5) sleeps in read for something to read in a pipe; "
        "who could wake it: python3 (4)",
    ]
    assert len(run.names) < 300  # and 6 has some 600 steps to take


def test_who_waits_for_the_circle_is_no_part_of_it_as_long_as_another_may_wake_him(
    tmp_path: Path,
) -> None:
    run = _run(_scenario(tmp_path, CIRCLE), 2)
    assert "(3)" not in run.verdict.text


def test_what_a_signal_may_end_is_not_told(tmp_path: Path) -> None:
    scenario = _scenario(tmp_path, OWN_PIPE)
    with following():
        assert {_run(scenario, seed).verdict.kind for seed in range(5)} == {CLEAN}


def test_threads_that_have_each_others_lock_are_told(tmp_path: Path) -> None:
    scenario = _scenario(tmp_path, LOCKS)
    verdicts = {_run(scenario, seed).verdict for seed in range(30)}
    told = {verdict for verdict in verdicts if verdict.kind != CLEAN}
    assert {(one.kind, one.signature) for one in told} == {(STUCK, "deadlock: futex, futex")}
    for one in told:
        assert one.text.count("sleeps in futex for a lock of its program") == 2


def test_a_sleeper_that_nobody_is_left_to_wake_is_a_lost_wake_up(tmp_path: Path) -> None:
    run = _run(_scenario(tmp_path, FUTEX))
    assert (run.verdict.kind, run.verdict.signature) == (LOST, "lost wake-up: futex")
    assert run.verdict.text.splitlines()[2].endswith(
        "python3 (3) sleeps in wait4 for the end of python3 (4); who could wake it: python3 (4)"
    )


def test_a_sleeper_for_whom_all_is_there_is_a_lost_wake_up() -> None:
    scenario = load_scenario(RACES / "wake_against_sleep.yaml").scenario
    verdicts = [_run(scenario, seed).verdict for seed in range(40)]
    lost = [verdict for verdict in verdicts if verdict.kind == LOST]
    assert {verdict.signature for verdict in lost} == {"lost wake-up: read"}
    assert (
        lost[0]
        .text.splitlines()[0]
        .endswith("sleeps in read, and something to read in a pipe is there")
    )


@pytest.mark.parametrize("name", ["random", "pct3", "pos", "delay"])
def test_who_spins_lets_go_first_whom_he_spins_for(name: str, tmp_path: Path) -> None:
    scenario = _scenario(tmp_path, SPIN.replace("VALUE", "1"))
    for seed in range(10):
        strategy = STRATEGIES[name](Random(seed), Learned())
        run = run_once(scenario, Control(scenario, strategy), watch=None)
        assert run.verdict.kind == CLEAN
        assert len(run.names) < 400


def test_who_spins_for_ever_is_told(tmp_path: Path) -> None:
    scenario = replace(_scenario(tmp_path, SPIN.replace("VALUE", "0")), most_steps=1000)
    run = _run(scenario)
    assert run.verdict.kind == ENDLESS
    assert "the same again and again: task:4" in run.verdict.text
