"""What strace or perf sched has recorded: ``workloads.recordings`` makes the program."""

import io
from typing import BinaryIO, Final

from cluster.config.errors import Problem
from cluster.imports.format import Format, Imported, ImportProblems
from workloads.recordings.load import is_recording, read_recording
from workloads.recordings.model import MAX_FILE, RecordingError
from workloads.recordings.program import program_text


def _recognises(name: str, head: bytes) -> bool:
    return is_recording(io.BytesIO(head))


def _read(name: str, source: BinaryIO) -> Imported:
    try:
        made = read_recording(source, name)
        text = program_text(made, f"The recording {name}.")
    except RecordingError as error:
        problems = [Problem(name, one.line, one.column, "", one.what) for one in error.problems]
        raise ImportProblems(problems) from None
    computed = sum(made.computed_ns(task) for task in made.tasks) / 1e6
    took = (made.end_ns - made.begin_ns) / 1e6
    summary = f"{len(made.tasks):,} tasks, {computed:,.3f} ms of CPU time in {took:,.3f} ms"
    return Imported(text, tuple(made.summary()), summary)


FORMAT: Final = Format(
    "recording",
    "what strace -f -ttt or perf sched record has written of a real program",
    _recognises,
    _read,
    MAX_FILE,
)
