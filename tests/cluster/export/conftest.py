"""One run for all formats, with everything a trace may have, and the programs that read exports."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.cli.main import run_command
from tests.cluster.export.trace_processor import Processors

PROGRAM = """
import mmap
import os
import threading
import time

from workloads import guest


def sleepy():
    for _ in range(10):
        time.sleep(0.002)
        guest.compute(50000)


area = mmap.mmap(-1, 4096 * 4, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
guest.touch(area, 0, 4)
r, w = os.pipe()
children = []
for nice in (0, 0, 5):
    pid = os.fork()
    if pid == 0:
        guest.touch(area, 0, 1)
        os.nice(nice)
        guest.compute(30000000)
        os._exit(0)
    children.append(pid)
pid = os.fork()
if pid == 0:
    for _ in range(20):
        os.read(r, 1)
    os.execv("/bin/true", ["true"])
children.append(pid)
thread = threading.Thread(target=sleepy)
thread.start()
for _ in range(20):
    os.write(w, b"x")
    time.sleep(0.001)
thread.join()
for pid in children:
    os.waitpid(pid, 0)
"""
CONFIG = """
machine: {cpus: 2}
sync: {scheme: exact}
trace: {syscalls: true, waking: true}
workloads: [{program: ./prog.py}]
"""


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    (folder / "prog.py").write_text(PROGRAM)
    (folder / "c.yaml").write_text(CONFIG)
    out = folder / "runs"
    assert run_command(["run", "-q", "--out", str(out), str(folder / "c.yaml")]) == 0
    (found,) = (path for path in out.iterdir() if path.is_dir())
    return found


@pytest.fixture(scope="session")
def summary(run: Path) -> dict[str, Any]:
    return json.loads((run / "summary.json").read_text())


@pytest.fixture(scope="session")
def exported(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that exports the run in a format, once, and returns the file."""
    folder = tmp_path_factory.mktemp("exports")

    def export(name: str) -> Path:
        path = folder / name
        if not path.exists():
            assert run_command(["export", str(run), "-f", name, "-o", str(path)]) == 0
        return path

    return export


@pytest.fixture(scope="session")
def processors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processors]:
    found = Processors(tmp_path_factory.mktemp("processors"))
    yield found
    found.close()
