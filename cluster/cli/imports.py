"""``smplab import``: the guest program that a file of another tool, or a preset, stands for."""

from pathlib import Path
from typing import Annotated

import typer

from cluster.exit_codes import OK


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE | PRESET", help="As in workloads: [{import: FILE}, {preset: PRESET}]."
        ),
    ],
) -> int:
    """Print the guest program that a file of another tool, such as rt-app's JSON, stands for.

    Or that a preset stands for, such as hackbench:-p.
    smplab native and smplab diff take it as every other program.
    """
    from cluster.cli.presets import preset_named
    from cluster.config import ConfigError
    from cluster.imports.format import ImportProblems
    from cluster.imports.registry import program_of

    preset = preset_named(file)
    try:
        text = program_of(file) if preset is None else preset.program
    except ImportProblems as error:
        raise ConfigError(error.problems) from None
    print(text, end="")
    return OK


def register(app: typer.Typer) -> None:
    """Add the command ``import`` to ``app``."""
    app.command("import")(import_)
