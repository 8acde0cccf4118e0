"""No format needs more memory for a longer trace."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cluster.export import FORMATS
from cluster.trace import TraceWriter, encode_chunk
from kernel import events as ev

MEASURE = """
import sys
import tracemalloc
from pathlib import Path
from cluster.export import export, parquet
parquet._ROWS = 2_000  # of a group, which is kept until it is full
small, large, name, out = sys.argv[1:]
export(Path(small), name, Path(out))  # what is kept for ever, and modules
tracemalloc.start()
peaks = []
for trace in (small, large):
    tracemalloc.reset_peak()
    export(Path(trace), name, Path(out))
    peaks.append(tracemalloc.get_traced_memory()[1])
print(*peaks)
"""


def lifecycle(pid: int, at_ns: int) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return what CPU and kernel record of a child of pid 1 that is made, runs and ends."""
    cpu = [
        (at_ns + 20, ev.SCHED_WAKEUP_NEW, "sh", pid, 120, 0),
        (at_ns + 30, ev.SCHED_SWITCH, "init", 1, 120, 1, "sh", pid, 120),
        (at_ns + 90, ev.SCHED_SWITCH, "sh", pid, 120, 0x80, "init", 1, 120),
    ]
    kernel = [
        (at_ns + 10, ev.TASK_NEWTASK, 0, pid, "init", 0, 0),
        (at_ns + 10, ev.SCHED_PROCESS_FORK, 0, "init", 1, "sh", pid),
        (at_ns + 40, ev.PAGE_FAULT_USER, 0, pid, 4096, 6, "anon"),
        (at_ns + 50, ev.SYS_ENTER, 0, pid, 0, "3, 1"),
        (at_ns + 60, ev.SYS_EXIT, 0, pid, 0, "1"),
        (at_ns + 80, ev.SCHED_PROCESS_EXIT, 0, "sh", pid, 120, 1, 0),
        (at_ns + 95, ev.SCHED_PROCESS_FREE, 0, "sh", pid, 120),
    ]
    return cpu, kernel


def write_trace(path: Path, chunks: int) -> None:
    with TraceWriter(path, ["cpu0", "kernel"]) as writer:
        writer.append(
            0, encode_chunk([(1, ev.SCHED_SWITCH, "swapper/0", 0, 120, 0, "init", 1, 120)])
        )
        number = 0
        for _ in range(chunks):
            cpus, kernels = [], []
            for _ in range(100):
                cpu, kernel = lifecycle(number % 500 + 2, 1000 * (number + 1))
                cpus += cpu
                kernels += kernel
                number += 1
            writer.append(0, encode_chunk(cpus))
            writer.append(1, encode_chunk(kernels))


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("sizes")
    write_trace(folder / "small", 10)
    write_trace(folder / "large", 40)
    return folder / "small", folder / "large"


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_memory_does_not_grow_with_the_trace(
    name: str, traces: tuple[Path, Path], tmp_path: Path
) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    words = [*map(str, traces), name, str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *words], capture_output=True, text=True, check=True
    )
    small, large = map(int, done.stdout.split())
    assert large < 1.1 * small + 100_000, "four times the trace"
