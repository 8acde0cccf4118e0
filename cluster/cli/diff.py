"""``smplab diff``: run a guest program on the host's kernel and emulated, and compare."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cluster.exit_codes import BROKEN, FAILED, OK, USAGE, CliError


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        "diff", context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True}
    )(diff)


def diff(
    program: Annotated[Path, typer.Argument(help="A guest program (a Python file).")],
    args: Annotated[list[str] | None, typer.Argument(help="Its arguments.")] = None,
    cpus: Annotated[int, typer.Option(help="CPUs of the emulated machine.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of the emulated machine.")] = 42,
    scheme: Annotated[str, typer.Option(help="exact or barrier.")] = "exact",
    check: Annotated[
        bool, typer.Option("--check", help="Check all invariants while running, too.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=1e6, help="Seconds for each of the two.")
    ] = 60.0,
) -> int:
    """Run PROGRAM on this host's kernel and emulated; compare output, exit status, process tree.

    Exits 0 if they agree and 1 if they do not.
    """
    from cluster.cli.common import check_machine_options
    from cluster.config.models import SCHEMES
    from cluster.diff import diff_program
    from cluster.native import NativeError

    check_machine_options(cpus, seed)
    if scheme not in SCHEMES:
        raise CliError(USAGE, "usage", f"--scheme: must be one of {', '.join(SCHEMES)}")
    try:
        report = diff_program(
            program, args or [], cpus=cpus, seed=seed, scheme=scheme, check=check, timeout_s=timeout
        )
    except NativeError as error:
        raise CliError(BROKEN, "host run failed", str(error)) from error
    sys.stdout.write(report.render() + "\n")
    return OK if report.same else FAILED
