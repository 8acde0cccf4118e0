"""``smplab import``: the guest program that a file of another tool stands for, as text."""

from pathlib import Path
from typing import Annotated

import typer

from cluster.exit_codes import OK


def import_(
    file: Annotated[
        Path, typer.Argument(help="A file of another tool, as in workloads: [{import: FILE}].")
    ],
) -> int:
    """Print the guest program that a file of another tool, such as rt-app's JSON, stands for.

    smplab native and smplab diff take it as every other program.
    """
    from cluster.config import ConfigError
    from cluster.imports.format import ImportProblems
    from cluster.imports.registry import program_of

    try:
        text = program_of(file)
    except ImportProblems as error:
        raise ConfigError(error.problems) from None
    print(text, end="")
    return OK


def register(app: typer.Typer) -> None:
    """Add the command ``import`` to ``app``."""
    app.command("import")(import_)
