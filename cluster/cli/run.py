"""``smplab run``: one configuration to its end, with a run directory, a table and a digest."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.cli.interrupts import interruption
from cluster.exit_codes import BROKEN, USAGE, CliError, report

if TYPE_CHECKING:
    from cluster.config import Loaded
    from cluster.engine_api import RunRequest, RunResult
    from cluster.rundir import RunDir


def run(
    config: Annotated[Path, typer.Argument(help="A YAML or JSON configuration.", metavar="CONFIG")],
    engine: Annotated[
        str | None, typer.Option(help="local or ray, instead of the config's.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster: local (start one), auto, HOST:PORT.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key; may be repeated."),
    ] = None,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder that gets the run directory.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check all invariants while running, too.")
    ] = False,
    log_format: Annotated[str, typer.Option(help="console or json.")] = "console",
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only errors and the digest.")
    ] = False,
) -> int:
    """Run a configuration to its end.

    Progress goes to stderr; the summary and a digest to stdout, and into a run directory.
    """
    from cluster.build import resolve, shown_programs
    from cluster.cli.common import check_programs, overrides
    from cluster.config import load_config
    from cluster.logging_setup import FORMATS

    if log_format not in FORMATS:
        raise CliError(USAGE, "usage", f"--log-format: must be one of {', '.join(FORMATS)}")
    flags = overrides(
        settings, engine=engine, ray__address=address, out=out, check=True if check else None
    )
    loaded = load_config(config, flags)
    if address is not None and loaded.config.engine != "ray":
        raise CliError(USAGE, "usage", "--address is for --engine ray")
    spec = resolve(loaded)
    check_programs(spec, shown_programs(loaded))
    return _run(loaded, _request(loaded, spec), log_format, quiet)


def _request(loaded: "Loaded", spec: Any) -> "RunRequest":
    from cluster.engine_api import RunRequest

    config = loaded.config
    graph = config.ray.compiled_graph
    return RunRequest(
        spec=spec,
        engine=config.engine,
        scheme=config.sync.scheme,
        quantum_ns=config.sync.quantum,
        address=config.ray.address,
        cpus_per_actor=config.ray.cpus_per_actor,
        compiled_graph=graph if isinstance(graph, str) else str(graph).lower(),
        max_virtual_ns=config.limits.virtual_time,
        max_wall_s=config.limits.wall_time / 1e9 if config.limits.wall_time else None,
    )


def _run(loaded: "Loaded", request: "RunRequest", log_format: str, quiet: bool) -> int:
    from cluster.engine import run_machine
    from cluster.logging_setup import get_logger, setup_logging
    from cluster.progress import RunProgress
    from cluster.rundir import RunDir

    config = loaded.config
    try:
        directory = RunDir.create(Path(config.out), config.name)
    except OSError as error:
        raise CliError(USAGE, "usage", f"out: {config.out}: {error.strerror}") from None
    setup_logging(log_format, directory.path.name, level="warning" if quiet else "info")
    log = get_logger()
    directory.start(name=config.name, config=resolved(loaded), seed=config.seed)
    request.out_dir = directory.path
    log.info("run started", engine=request.engine, cpus=request.spec.cpus, scheme=request.scheme)
    try:
        if quiet:
            result = run_machine(request)
        else:
            with RunProgress() as progress:
                request.on_progress = progress
                result = run_machine(request)
    except KeyboardInterrupt:
        _abandon(directory, "interrupted", *interruption())
        raise
    except Exception as error:
        _abandon(directory, "broken", BROKEN, f"{type(error).__name__}: {error}")
        raise
    return _finish(loaded, directory, result, quiet)


def _abandon(directory: "RunDir", kind: str, code: int, message: str) -> None:
    directory.finish(exit_kind=kind, exit_code=code, message=message, complete=False)


def _finish(loaded: "Loaded", directory: "RunDir", result: "RunResult", quiet: bool) -> int:
    from cluster.cli.common import console_outputs, discard_stdout, outcome
    from cluster.engine_api import BROKEN as BROKEN_RUN
    from cluster.engine_api import INTERRUPTED as INTERRUPTED_RUN
    from cluster.logging_setup import get_logger
    from kernel.acct import OUTPUT as ACCT_OUTPUT

    code, kind, message = outcome(result, loaded.config.expect.exit_status)
    complete = result.exit_kind not in (BROKEN_RUN, INTERRUPTED_RUN)
    records = result.outputs.pop(ACCT_OUTPUT, None)
    if records is not None:
        directory.write_acct(records)
    outputs = console_outputs(result)
    for label, (out, err) in outputs.items():
        directory.write_output(label, out, err)
    if result.summary:
        directory.write_summary(result.summary, result.digest)
    directory.finish(exit_kind=result.exit_kind, exit_code=code, message=message, complete=complete)
    get_logger().info("run ended", exit_kind=result.exit_kind, directory=str(directory.path))
    if quiet:
        print(f"digest {result.digest}")
    elif result.summary:
        from cluster.report.table import print_summary

        try:
            print(f"run directory {directory.path}\n")
            print_summary(result.summary, result.digest, complete=complete)
            sys.stdout.flush()
        except BrokenPipeError:  # nobody reads it: the exit code still tells how it went
            discard_stdout()
    if kind:
        report(kind, message)
        _show_errors(outputs)
    return code


def _show_errors(outputs: dict[str, tuple[bytes, bytes]], lines: int = 10) -> None:
    """Show the last lines that programs wrote to stderr: there it says what went wrong."""
    for label, (_, err) in outputs.items():
        for line in err.decode("utf-8", "replace").splitlines()[-lines:]:
            print(f"{label}: {line}", file=sys.stderr)
            lines -= 1
        if lines <= 0:
            return


def resolved(loaded: "Loaded") -> dict[str, Any]:
    """Return the configuration as it was understood, every default filled in, as JSON data."""
    data: dict[str, Any] = loaded.config.model_dump(mode="json")
    return data


def register(app: typer.Typer) -> None:
    """Add the command ``run`` to ``app``."""
    app.command()(run)
