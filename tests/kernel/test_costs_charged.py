"""How often costs are charged that are 0 in the profile ``default``."""

from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local
from kernel.costs import Costs

EACH_NS = 1_000_000
LEAVES = "import os\nif os.fork() == 0:\n    os._exit(0)\nos.wait()\n"
EXECUTES = "import os\nif os.fork() == 0:\n    os.execv('/bin/true', ['true'])\nos.wait()\n"
STAYS = "import os\nif os.fork() == 0:\n    os.getpid()\n    os._exit(0)\nos.wait()\n"
SPAWNS = "import os\nos.posix_spawn('/bin/true', ['true'], {})\nos.wait()\n"
COMPUTES = "from workloads import guest\nfor _ in range(3):\n    guest.compute(1000)\n"
ONE_BY_ONE = """
import threading
def nothing():
    pass
for _ in range(3):
    thread = threading.Thread(target=nothing)
    thread.start()
    thread.join()
"""
AT_ONCE = """
import os
import threading
take, give = os.pipe()
def wait():
    os.read(take, 1)
def both():
    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    os.write(give, b'xxx')
    for thread in threads:
        thread.join()
both()
both()
"""
FORKS_BESIDE = """
import os
from workloads import guest
if os.fork() == 0:
    guest.compute(50_000_000)
    os._exit(0)
if os.fork() == 0:
    os._exit(0)
os.wait()
os.wait()
"""
FORKS_TWICE = """
import os
for _ in range(2):
    if os.fork() == 0:
        os._exit(0)
    os.wait()
"""
FORKS_IN_TURN = """
import os
if os.fork() == 0:
    if os.fork() == 0:
        os._exit(0)
    os.wait()
    os._exit(0)
os.wait()
if os.fork() == 0:
    os._exit(0)
os.wait()
"""
FREE_LOCK = """
import threading
lock = threading.Lock()
lock.acquire()
lock.release()
"""
PROGRAMS = {
    "leaves": LEAVES,
    "executes": EXECUTES,
    "stays": STAYS,
    "spawns": SPAWNS,
    "computes": COMPUTES,
    "one_by_one": ONE_BY_ONE,
    "at_once": AT_ONCE,
    "free_lock": FREE_LOCK,
    "forks_beside": FORKS_BESIDE,
    "forks_twice": FORKS_TWICE,
    "forks_in_turn": FORKS_IN_TURN,
}
CASES = [
    ("fork_cold", "forks_twice", 1, 0.0),
    ("fork_cold", "forks_in_turn", 1, 1 / 16),
    ("cow_away", "leaves", 2, 1),
    ("cow_away", "one_by_one", 2, 0),
    ("thread_away", "leaves", 2, 0),
    ("thread_away", "one_by_one", 2, 3),
    ("fork_beside", "leaves", 2, 0),
    ("fork_beside", "forks_beside", 1, 0),
    ("fork_beside", "forks_beside", 2, 1),
    ("cow_stay", "leaves", 1, 0),
    ("cow_stay", "executes", 1, 0),
    ("cow_stay", "stays", 1, 1),
    ("vfork", "leaves", 1, 0),
    ("vfork", "spawns", 1, 1),
    ("compute_call", "computes", 1, 3),
    ("thread_first", "leaves", 1, 0),
    ("thread_first", "one_by_one", 1, 1),
    ("thread_first", "at_once", 1, 1),
    ("thread_stack", "one_by_one", 1, 0),
    ("thread_stack", "at_once", 1, 2),
    ("lock_handover", "free_lock", 1, 0),
]


def used_ns(path: Path, cpus: int, costs: Costs) -> int:
    result = run_local(RunRequest(guest_spec(path, [], cpus=cpus, costs=costs, trace=False)))
    assert (result.exit_kind, result.message) == (DONE, "")
    used = result.summary["cpu_time_ns"]
    found: int = used["user"] + used["system"]
    return found


@pytest.mark.parametrize(("cost", "program", "cpus", "times"), CASES)
def test_a_cost_is_charged_as_often_as_its_cause_comes(
    cost: str, program: str, cpus: int, times: float, tmp_path: Path
) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAMS[program])
    # no tick: what falls under one, and is preempted, is not of this
    without = used_ns(path, cpus, Costs(tick=0))
    took = used_ns(path, cpus, Costs(tick=0, **{cost: EACH_NS})) - without
    # who comes first may change with it, and then somebody sleeps who did not
    assert took == pytest.approx(times * EACH_NS, abs=EACH_NS / 100)
