"""``smplab import``: the guest program that a file of another tool, or a preset, stands for."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cluster.cli.writing import told_if_not_written
from cluster.exit_codes import OK


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE | PRESET", help="As in workloads: [{import: FILE}, {preset: PRESET}]."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="PROGRAM", help="Where to; - is standard output."),
    ] = Path("-"),
) -> int:
    """Write the guest program that a file of another tool stands for: rt-app's, strace's, perf's.

    Or that a preset stands for, such as hackbench:-p.
    smplab guest, native and diff take it as every other program. What could not be carried over is
    listed on standard error.
    """
    from cluster.cli.presets import preset_named
    from cluster.config import ConfigError
    from cluster.export.sink import output
    from cluster.imports.format import Imported, ImportProblems
    from cluster.imports.registry import imported
    from kernel.trace.printable import printable_line

    preset = preset_named(file)
    try:
        made = imported(file) if preset is None else Imported(preset.program)
    except ImportProblems as error:
        raise ConfigError(error.problems) from None
    if str(out) == "-":
        print(made.text, end="")
    else:
        with told_if_not_written(out), output(out) as sink:
            sink.write(made.text.encode())
    for line in made.notes:
        print(printable_line(f"smplab: note: {line}"), file=sys.stderr)
    if made.summary and str(out) != "-":
        print(printable_line(f"{out}: {made.summary}"))
    return OK


def register(app: typer.Typer) -> None:
    """Add the command ``import`` to ``app``."""
    app.command("import")(import_)
