"""sched_rr_get_interval() of fair tasks under classes that the host does not have."""

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local

TEXT = """import os
import time

from workloads import guest

os.sched_setaffinity(0, {0})
print(os.sched_rr_get_interval(0))
os.setpriority(os.PRIO_PROCESS, 0, -5)
print(os.sched_rr_get_interval(0))
os.setpriority(os.PRIO_PROCESS, 0, 0)
pid = os.fork()
if pid == 0:
    guest.compute(500000000)
    os._exit(0)
time.sleep(0.01)
print(os.sched_rr_get_interval(0), os.sched_rr_get_interval(pid))
os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
print(os.sched_rr_get_interval(0), os.sched_rr_get_interval(pid))
sleeper = os.fork()
if sleeper == 0:
    os.sched_setaffinity(0, {1})
    time.sleep(0.1)
    os._exit(0)
time.sleep(0.02)
print(os.sched_rr_get_interval(sleeper))
"""

# alone, nice -5, two, SCHED_IDLE and normal, a sleeper on an idle CPU; ticks of 1 ms
EXPECTED = {
    # a period of 5 or 6 ms * 2 for the CPUs, by weight (1024 and 3 of 1027), and a little less: the
    # inverse of a weight is (2**32 - 1) / weight, rounded down
    ("2.6.34", "cfs"): ["0.009", "0.009", "0.004 0.004", "0.009 0.0", "0.0"],
    ("6.12", "cfs"): ["0.011", "0.011", "0.005 0.005", "0.011 0.0", "0.0"],
    # a slice goes by nice value, and is a whole one whoever else there is
    ("6.12", "o1"): ["0.1", "0.5", "0.1 0.1", "0.1 0.005", "0.1"],
    ("6.12", "eevdf"): ["0.001", "0.001", "0.001 0.001", "0.001 0.001", "0.0"],
}


@pytest.mark.parametrize(("linux", "fair"), EXPECTED)
def test_the_interval_of_a_fair_task_is_its_slice_in_whole_ticks(tmp_path, linux, fair):
    path = tmp_path / "slices.py"
    path.write_text(TEXT, "utf-8")
    spec = guest_spec(path, [], cpus=2, hz=1000, linux=linux, fair=fair, trace=False)
    result = run_local(RunRequest(spec))
    assert result.exit_kind == DONE, result.message
    assert result.outputs["slices.py.stdout"].decode().splitlines() == EXPECTED[linux, fair]
