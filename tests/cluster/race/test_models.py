"""Guest programs, and what the memory models of a running machine let them see."""

from pathlib import Path

import pytest

from cluster.race.explore import Plan, explore
from cluster.race.run import LOST, OUTCOME, STUCK
from cluster.race.scenario import load_scenario
from cluster.race.watch import following

BOTH_LATE = """\
import mmap, os
from workloads import guest
memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    guest.WRITE_ONCE(memory, 0, 1)
    os._exit(guest.READ_ONCE(memory, 4))
guest.WRITE_ONCE(memory, 4, 1)
mine = guest.READ_ONCE(memory, 0)
other = os.waitpid(pid, 0)[1] >> 8
raise SystemExit(mine == other == 0)
"""


@pytest.mark.parametrize("model", ["sc", "tso", "pso", "arm", "weak"])
def test_two_cpus_miss_each_others_store_under_every_model_but_sc(
    tmp_path: Path, model: str
) -> None:
    path = tmp_path / "late.py"
    path.write_text(BOTH_LATE)
    scenario = load_scenario(path).changed(model=model).scenario
    with following():
        found = explore(Plan(scenario, runs=150))
    assert {kind for kind, _ in found.kinds} == ({OUTCOME} if model != "sc" else set())


SPINNER = """\
import mmap, os
from workloads import guest
memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    while not guest.load_acquire(memory, 0):
        os.sched_yield()
    os._exit(0)
guest.WRITE_ONCE(memory, 4, 1)
guest.store_release(memory, 0, 1)
os.waitpid(pid, 0)
"""


@pytest.mark.parametrize("model", ["arm", "weak"])
def test_who_spins_comes_to_read_what_memory_holds(tmp_path: Path, model: str) -> None:
    path = tmp_path / "spinner.py"
    path.write_text(SPINNER)
    scenario = load_scenario(path).changed(model=model).scenario
    with following():
        found = explore(Plan(scenario, runs=40))
    assert found.kinds == {}
    assert found.steps < 40 * 1000


# -- the barriers of sleeping and waking -----------------------------------------------------------

RACES = Path(__file__).resolve().parents[3] / "configs" / "races"
BARRIERS = {
    "poll_against_wake": ("tso", "pso", "arm", "weak"),
    "waiters_without_barrier": ("tso", "pso", "arm", "weak"),
    "waker_without_barrier": ("arm", "weak"),
}
RARE = {"poll_against_wake": ("tso", "pso")}  # one run in some hundreds


@pytest.mark.parametrize(
    ("name", "model"),
    [
        pytest.param(name, model, marks=pytest.mark.slow if model in RARE.get(name, ()) else ())
        for name in BARRIERS
        for model in ("sc", "tso", "pso", "arm", "weak")
    ],
)
def test_a_sleeper_is_lost_without_a_barrier_on_the_machines_that_need_it(
    name: str, model: str
) -> None:
    scenario = load_scenario(RACES / f"{name}.yaml").changed(model=model).scenario
    needed = model in BARRIERS[name]
    with following():
        found = explore(Plan(scenario, runs=1500 if needed else 100, seed=400 if needed else 1))
    assert {kind for kind, _ in found.kinds} <= {STUCK, LOST}
    assert bool(found.kinds) is needed


@pytest.mark.slow
@pytest.mark.parametrize("model", ["sc", "tso", "pso", "arm", "weak"])
@pytest.mark.parametrize("name", BARRIERS)
def test_with_all_its_barriers_the_kernel_loses_no_sleeper(name: str, model: str) -> None:
    scenario = load_scenario(RACES / f"{name}.yaml").changed(model=model, mutations=()).scenario
    with following():
        found = explore(Plan(scenario, runs=80))  # thousands: in the soak
    assert found.kinds == {}
