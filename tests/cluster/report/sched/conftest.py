"""One run for all readers of a schedule: spinners of two nice values, a sleeper, a FIFO task."""

import json
from pathlib import Path

import pytest

from cluster.cli.main import run_command

PROGRAM = """
import os
import threading
import time

from workloads import guest


def spin(ms, pieces=10):
    for _ in range(pieces):
        guest.compute(ms * 1000000 // pieces)


def sleepy():
    for _ in range(20):
        time.sleep(0.002)
        guest.compute(50000)


children = []
for nice in (0, 0, 0, 5, 5):
    pid = os.fork()
    if pid == 0:
        os.nice(nice)
        spin(60)
        os._exit(0)
    children.append(pid)
pid = os.fork()
if pid == 0:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    spin(10)
    os._exit(0)
children.append(pid)
pid = os.fork()
if pid == 0:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    for _ in range(5):
        time.sleep(0.01)
        guest.compute(1000000)
    os._exit(0)
children.append(pid)
thread = threading.Thread(target=sleepy)
thread.start()
thread.join()
for pid in children:
    os.waitpid(pid, 0)
"""
CONFIG = """
machine: {cpus: 2}
sync: {scheme: %s}
workloads: [{program: ./prog.py}]
"""


@pytest.fixture(scope="module", params=["exact", "barrier"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sched")
    (folder / "prog.py").write_text(PROGRAM)
    (folder / "c.yaml").write_text(CONFIG % request.param)
    out = folder / "runs"
    assert run_command(["run", "-q", "--out", str(out), str(folder / "c.yaml")]) == 0
    (found,) = (path for path in out.iterdir() if path.is_dir())
    return found


@pytest.fixture
def summary(run: Path) -> dict:
    return json.loads((run / "summary.json").read_text())
