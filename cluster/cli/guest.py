"""``smplab guest``: its options. What it does is in ``cluster.cli.guest_run``."""

from pathlib import Path
from typing import Annotated

import typer

from cluster.cli.guest_run import CPUS, SEED, GuestOptions, run_guest


def guest(
    program: Annotated[Path, typer.Argument(help="A guest program.", metavar="PROGRAM")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Its arguments.", metavar="[ARG]...")
    ] = None,
    cpus: Annotated[int, typer.Option(help="Simulated CPUs, 1 to 4096.")] = CPUS,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = SEED,
    engine: Annotated[str, typer.Option(help="local or ray.")] = "local",
    granularity: Annotated[str | None, typer.Option(help="syscall or step.")] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Memory model; means --granularity step, sync.tie_break=random."),
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(help="exact or barrier (the default with Ray), or one of your own."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a key of configurations."),
    ] = None,
    unbuffered: Annotated[
        bool, typer.Option("-u", help="As python3 -u: streams are not buffered.")
    ] = False,
    env: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="NAME=VALUE", help="Set a variable of its environment."),
    ] = None,
    pass_env: Annotated[
        bool, typer.Option("--pass-env", help="Pass on the environment of smplab.")
    ] = False,
    stdin: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its standard input, not that of smplab.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Check all invariants.")] = False,
    pstree: Annotated[
        bool, typer.Option("--pstree", help="Show all processes there were, at the end.")
    ] = False,
    strace: Annotated[
        bool, typer.Option("--strace", help="Show all system calls, at the end.")
    ] = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="Keep the run, with its trace, in a run directory.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder that gets the run directory.")
    ] = None,
) -> int:
    """Run one guest program.

    As python3 PROGRAM ARG... would, but on the emulated machine. Options of smplab come before
    PROGRAM; everything after it is the program's, and so is standard input: a file or a pipe is
    read to its end, a terminal by lines, while virtual time stands still.
    """
    return run_guest(
        GuestOptions(
            program=program,
            arguments=arguments or [],
            cpus=cpus,
            seed=seed,
            engine=engine,
            granularity=granularity,
            model=model,
            scheme=scheme,
            settings=settings or [],
            unbuffered=unbuffered,
            env=env or [],
            pass_env=pass_env,
            stdin=stdin,
            check=check,
            pstree=pstree,
            strace=strace,
            trace=trace,
            out=out,
        )
    )


def register(app: typer.Typer) -> None:
    """Add the command ``guest`` to ``app``."""
    app.command(context_settings={"allow_interspersed_args": False})(guest)
