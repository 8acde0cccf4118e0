"""``smplab resume``: go on with a run that something ended."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.cli.options import LogFormatOption, QuietOption, RunArgument, VerboseOption
from cluster.exit_codes import OK, TRY_AGAIN, USAGE, CliError, report

if TYPE_CHECKING:
    from cluster.checkpoint import Checkpoint


def resume(
    run: RunArgument,
    address: Annotated[
        str | None,
        typer.Option(help="Another Ray than the run's: local (start one), auto, HOST:PORT."),
    ] = None,
    log_format: LogFormatOption = "console",
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> int:
    """Go on with a run that was killed, stopped or out of disk, from its last checkpoint.

    It ends with the files and the digest of a run that nothing disturbed. A run that has ended is
    left alone, and its exit code returned.
    """
    from cluster.cli.common import shown_digest
    from cluster.cli.run import log_level
    from cluster.run_lock import RunInUse, RunLock
    from cluster.rundir import RunDir, RunDirError, run_path
    from kernel.trace.printable import printable_line

    level = log_level(log_format, verbose, quiet)
    try:
        directory = RunDir.open(run_path(run))
        manifest = directory.manifest()
        if manifest.get("complete") is True:
            digest = shown_digest(manifest.get("exit_kind"), directory.summary()["digest"])
            print(printable_line(f"{directory.path} has ended: nothing is left to do"))
            print(f"digest {digest}" if digest else "it has no digest")
            code = manifest.get("exit_code")
            return code if isinstance(code, int) else OK
    except RunDirError as error:
        raise CliError(USAGE, "no run", str(error)) from None
    try:
        lock = RunLock(directory.path)
    except RunInUse as error:
        raise CliError(TRY_AGAIN, "run in use", str(error)) from None
    except OSError as error:
        raise CliError(TRY_AGAIN, "cannot write", f"{error.filename}: {error.strerror}") from None
    with lock:
        return _resume(directory.path, address, log_format, level, quiet)


def _resume(path: Path, address: str | None, log_format: str, level: str, quiet: bool) -> int:
    from cluster.cli.run import drive
    from cluster.resume import NoResumption, Resumed
    from cluster.rundir import RunDir

    directory = RunDir(path)
    manifest = directory.manifest()
    try:
        found = Resumed(path, lambda line: report("note", line))
    except NoResumption as error:
        raise CliError(USAGE, "cannot resume", str(error)) from None

    if address is not None:
        if found.request.engine != "ray":
            raise CliError(USAGE, "usage", f"--address is of runs on Ray, and {path} is none")
        found.request = replace(found.request, address=address, hosts=None)

    def begins(checkpoint: "Checkpoint | None") -> None:
        where = "its beginning: it has no checkpoint"
        if checkpoint is not None:
            where = f"superstep {checkpoint.supersteps}, {checkpoint.virtual_ns} ns"
        report("note", f"{path.name} goes on from {where}")

    expected = manifest.get("config", {}).get("expect", {}).get("exit_status", 0)
    try:
        return drive(
            directory,
            found.request,
            expected,
            (log_format, level, quiet),
            lambda machine: found.go_on(machine, begins),
        )
    except NoResumption as error:
        raise CliError(USAGE, "cannot resume", str(error)) from None


def register(app: typer.Typer) -> None:
    """Add the command ``resume`` to ``app``."""
    app.command()(resume)
