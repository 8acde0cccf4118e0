"""Reads a recording of any kind: what it is, its beginning says."""

from pathlib import Path
from typing import BinaryIO

from workloads.recordings import perf_data, perf_script, strace
from workloads.recordings.model import MAX_LINE, Problem, Recording, RecordingError
from workloads.recordings.strace_lines import Line, parse_line

_LOOKED_AT = 100  # lines


def load_recording(path: Path) -> Recording:
    """Return the recording in the file at ``path``: of strace, of perf, or of perf script.

    Raises:
        RecordingError: it cannot be used, with a line for each problem.
        OSError: it cannot be read.
    """
    with path.open("rb") as source:
        if not source.seekable():
            raise RecordingError(str(path), Problem("must be a file, not a pipe"))
        return read_recording(source, str(path))


def read_recording(source: BinaryIO, name: str) -> Recording:
    """Return the recording in an open file, which messages call ``name``.

    Raises:
        RecordingError: it cannot be used, with a line for each problem.
    """
    begin = source.read(len(perf_data.MAGIC))
    source.seek(0)
    if begin == perf_data.MAGIC:
        return perf_data.read(source, name)
    reader = perf_script.read if perf_script.is_line(_first_line(source)) else strace.read
    source.seek(0)
    return reader(source, name)


def is_recording(source: BinaryIO) -> bool:
    """Tell whether it begins as perf.data, or a line of strace or of perf script comes first."""
    if source.read(len(perf_data.MAGIC)) == perf_data.MAGIC:
        return True
    source.seek(0)
    line = _first_line(source)
    return bool(line) and (perf_script.is_line(line) or isinstance(parse_line(line), Line))


def _first_line(source: BinaryIO) -> str:
    """Return the first line that says something, of the first ones; else an empty string."""
    for _ in range(_LOOKED_AT):
        line = source.readline(MAX_LINE)
        if line.strip() and not line.startswith(b"#"):
            return line.decode("utf-8", "replace").rstrip()
    return ""
