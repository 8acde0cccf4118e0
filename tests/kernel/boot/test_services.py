"""Services work beside the programs, whatever they take, and never decide how a run ends."""

from dataclasses import replace

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DEADLOCK, DONE, GUEST, RunRequest
from cluster.local_engine import run_local
from kernel.machine import ServiceSpec

# on every CPU: one with as much work as time, one with more, and one that sleeps between
BUSY = (
    ServiceSpec("whole", 200_000, 200_000, True),
    ServiceSpec("more", 100_000, 300_000, True),
    ServiceSpec("some", 500_000, 50_000, True),
)
SCHEMES = ("exact", "barrier")
GRANULARITIES = ("syscall", "step")

FORKS = """
import os
for n in range(3):
    pid = os.fork()
    if pid == 0:
        os._exit(n)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
NOBODY_WRITES = """
import os
import time
time.sleep(0.002)
r, w = os.pipe()
os.read(r, 1)
"""
FAULTS_FOR_EVER = """
import mmap
import signal
from workloads import guest
signal.signal(signal.SIGSEGV, print)
m = guest.shmat(guest.shmget(0, 4096, 0o600))
guest.shmdt(m)
print(m[0])
"""


def run(tmp_path, text, scheme, granularity, services=BUSY):
    path = tmp_path / "program.py"
    path.write_text(text, "utf-8")
    spec = guest_spec(path, [], cpus=2, granularity=granularity)
    spec = replace(spec, services=services, check=True)
    return run_local(RunRequest(spec, scheme=scheme, max_virtual_ns=3_000_000_000))


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_run_ends_with_its_programs_though_services_never_sleep(tmp_path, scheme, granularity):
    result = run(tmp_path, FORKS, scheme, granularity)
    assert (result.exit_kind, result.message) == (DONE, "")
    assert b"".join(result.outputs.values()) == b"0\n1\n2\n"


@pytest.mark.parametrize("services", [BUSY, BUSY[2:]])
@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_deadlock_is_told_though_services_go_on(tmp_path, scheme, granularity, services):
    result = run(tmp_path, NOBODY_WRITES, scheme, granularity, services)
    assert result.exit_kind == DEADLOCK
    assert result.message.endswith("sleeps in read")
    assert "nothing can run any more: python3" in result.message


def test_a_process_that_faults_for_ever_is_told_though_services_go_on(tmp_path):
    result = run(tmp_path, FAULTS_FOR_EVER, "exact", "syscall")
    assert result.exit_kind == GUEST
    assert result.message.startswith("livelock: ")
