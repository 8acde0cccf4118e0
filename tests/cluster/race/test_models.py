"""Guest programs, and what the memory models of a running machine let them see."""

from pathlib import Path

import pytest

from cluster.race.explore import Plan, explore
from cluster.race.run import OUTCOME
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
        found = explore(Plan(scenario, runs=300))
    assert {kind for kind, _ in found.kinds} == ({OUTCOME} if model != "sc" else set())
