"""``smplab guest``: run one guest program on the emulated machine as CPython would run it.

Standard output, standard error and the exit status are the program's own; what it writes comes out
while it runs, in the order in which it wrote it to the two streams. A program that a signal
killed gives 128 + signal, as a shell reports it. Options before PROGRAM are for smplab; everything
after it belongs to the program.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.exit_codes import USAGE, CliError

if TYPE_CHECKING:
    from cluster.engine_api import Outputs


def guest(
    program: Annotated[Path, typer.Argument(help="A guest program.", metavar="PROGRAM")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Its arguments.", metavar="[ARG]...")
    ] = None,
    cpus: Annotated[int, typer.Option(help="Simulated CPUs, 1 to 4096.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 42,
    engine: Annotated[str, typer.Option(help="local or ray.")] = "local",
    check: Annotated[bool, typer.Option("--check", help="Check all invariants.")] = False,
) -> int:
    """Run one guest program.

    As python3 -u PROGRAM ARG... would, but on the emulated machine. Options of smplab come before
    PROGRAM; everything after it is the program's.
    """
    from cluster.cli.common import check_machine_options, check_programs, outcome

    check_machine_options(cpus, seed)
    if engine not in ("local", "ray"):
        raise CliError(USAGE, "usage", f"--engine: must be local or ray (got {engine})")
    from cluster.build import guest_spec
    from cluster.engine import run_machine
    from cluster.engine_api import DONE, RunRequest

    spec = guest_spec(program, arguments or [], cpus=cpus, seed=seed, trace=False, check=check)
    check_programs(spec, {os.path.normpath(Path.cwd() / program): str(program)})
    scheme = "exact" if engine == "local" else "barrier"
    result = run_machine(RunRequest(spec=spec, engine=engine, scheme=scheme, on_output=_pass_on))
    if result.exit_kind != DONE:
        raise CliError(*outcome(result, "any"))
    status = result.statuses[0][2]
    assert status is not None
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _pass_on(outputs: "Outputs") -> None:
    """Write what the program wrote, each part to the stream it went to, in that order."""
    for name, data in outputs:
        stream = sys.stderr if name.endswith(".stderr") else sys.stdout
        if stream is not None:  # closed before we were started
            stream.buffer.write(data)
            stream.flush()


def register(app: typer.Typer) -> None:
    """Add the command ``guest`` to ``app``."""
    app.command(context_settings={"allow_interspersed_args": False})(guest)
