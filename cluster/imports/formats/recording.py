"""What strace or perf sched has recorded: ``workloads.recordings`` makes the program.

``smplab recording`` writes the same program as a file. What could not be carried over stands at its
head; nobody prints that here.
"""

import io
from typing import Final

from cluster.config.errors import Problem
from cluster.imports.format import Format, ImportProblems
from workloads.recordings.load import is_recording, read_recording
from workloads.recordings.model import RecordingError
from workloads.recordings.program import program_text


def _recognises(name: str, head: bytes) -> bool:
    return is_recording(io.BytesIO(head))


def _read(name: str, data: bytes) -> str:
    try:
        return program_text(read_recording(io.BytesIO(data), name), f"The recording {name}.")
    except RecordingError as error:
        problems = [_problem(name, line) for line in str(error).splitlines()]
        raise ImportProblems(problems) from None


def _problem(name: str, text: str) -> Problem:
    """Return a line ``NAME:LINE:COLUMN: WHAT``, or one without a place, as a problem."""
    rest = text.removeprefix(f"{name}:")
    line, _, after = rest.partition(":")
    column, _, what = after.partition(":")
    if line.isdecimal() and column.isdecimal():
        return Problem(name, int(line), int(column), "", what.strip())
    return Problem(name, 0, 0, "", rest.strip())


FORMAT: Final = Format(
    "recording",
    "what strace -f -ttt or perf sched record has written of a real program",
    _recognises,
    _read,
)
