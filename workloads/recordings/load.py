"""Reads a recording of either kind: what it is, its first lines say."""

from pathlib import Path
from typing import BinaryIO

from workloads.recordings import perf_script, strace
from workloads.recordings.model import MAX_LINE, Recording, RecordingError


def load_recording(path: Path) -> Recording:
    """Return the recording in the file at ``path``: of strace, or of perf script.

    Raises:
        RecordingError: it cannot be used, with a line for each problem.
        OSError: it cannot be read.
    """
    with path.open("rb") as source:
        if not source.seekable():
            raise RecordingError(f"{path}: must be a file, not a pipe")
        reader = perf_script.read if _is_perf_script(source) else strace.read
        source.seek(0)
        return reader(source, str(path))


def _is_perf_script(source: BinaryIO) -> bool:
    """Tell whether the first line that is no comment is one of perf script."""
    for _ in range(100):
        line = source.readline(MAX_LINE)
        if line.strip() and not line.startswith(b"#"):
            return perf_script.is_line(line.decode("utf-8", "replace").rstrip())
    return False
