"""``smplab recording``: a recording of a real program as a guest program."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cluster.cli.writing import told_if_not_written
from cluster.exit_codes import USAGE, CliError


def recording(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Of strace -f -ttt, or perf sched record.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="PROGRAM", help="Where to; by default FILE.py."),
    ] = None,
) -> None:
    """Make a guest program of what strace or perf sched has recorded.

    Its processes fork, exec, compute, sleep, wait and end as the recorded ones did. What could not
    be carried over is listed on standard error, and in the program.
    """
    from cluster.export.sink import output
    from kernel.trace.printable import printable_line
    from workloads.recordings.load import load_recording
    from workloads.recordings.model import RecordingError
    from workloads.recordings.program import program_text

    target = out or Path(f"{file.name}.py")
    try:
        made = load_recording(file)
        text = program_text(made, f"The recording {file.name}.")
    except RecordingError as error:
        raise CliError(USAGE, "bad recording", str(error)) from None
    except OSError as error:
        raise CliError(USAGE, "bad recording", f"{file}: {error.strerror}") from None
    with told_if_not_written(target), output(target) as sink:
        sink.write(text.encode())
    for line in made.summary():
        print(printable_line(f"smplab: note: {line}"), file=sys.stderr)
    computed = sum(made.computed_ns(task) for task in made.tasks) / 1e6
    took = (made.end_ns - made.begin_ns) / 1e6
    if str(target) != "-":
        print(
            f"{target}: {len(made.tasks):,} tasks, {computed:,.3f} ms of CPU time in {took:,.3f} ms"
        )


def register(app: typer.Typer) -> None:
    """Add the command ``recording`` to ``app``."""
    app.command()(recording)
