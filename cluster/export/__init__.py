"""A run's trace in the formats of other tools: ``smplab export``.

Each format is one module with a function ``write(records, out)``: it takes the trace as a stream
(``cluster.export.stream``) and writes bytes as it goes, so memory does not grow with the trace. A
file gets its name when it is whole (``cluster.export.sink``).

To add a format, write such a module and name it in ``FORMATS``.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from cluster.collector import without_collector
from cluster.export.errors import CannotExport
from cluster.export.sink import is_seekable, output
from cluster.export.stream import Records
from cluster.trace import TraceReader


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        suffix: of its files.
        module: writes it.
        read_by: what to open it with.
        seeks: it goes back in the file, so pipes do not do.
    """

    suffix: str
    module: str
    read_by: str
    seeks: bool = False


__all__ = ["FORMATS", "CannotExport", "Format", "export"]

FORMATS: Final[dict[str, Format]] = {
    "perfetto": Format(".pftrace", "perfetto", "ui.perfetto.dev, trace_processor"),
    "perf": Format(".perf.data", "perf", "perf sched, perf script", seeks=True),
    "trace-cmd": Format(".dat", "trace_cmd", "trace-cmd report, KernelShark", seeks=True),
    "ftrace": Format(".txt", "ftrace", "people, Perfetto"),
    "chrome": Format(".json", "chrome", "chrome://tracing, Perfetto, speedscope"),
    "parquet": Format(".parquet", "parquet", "duckdb, polars, pandas"),
    "jsonl": Format(".jsonl", "jsonl", "jq, pandas, your own program"),
}


def export(trace: Path, name: str, out: Path) -> tuple[int, bool]:
    """Write a trace in a format.

    Args:
        trace: a ``trace.smpt``.
        name: one of ``FORMATS``.
        out: where to; a file that is there is replaced once the new one is whole. ``-`` is
            standard output.

    Returns:
        How many records there were, and whether the trace has an end: it was not cut.

    Raises:
        CannotExport: the format does not go to a pipe, or needs a package that is not installed.
        TraceError: the trace is damaged; nothing is left of the attempt.
        OSError: a file cannot be read or written; likewise.
    """
    format_ = FORMATS[name]
    if format_.seeks and not is_seekable(out):
        raise CannotExport(f"{name} goes to files only: {out} cannot be gone back in")
    if is_seekable(out) and out.exists() and out.samefile(trace):
        raise CannotExport(f"{out} is the trace that is read")
    write: Any = import_module(f"cluster.export.{format_.module}").write
    with TraceReader(trace) as reader, without_collector():
        records = Records(reader)
        with output(out) as file:
            write(records, file)
        return records.count, records.complete
