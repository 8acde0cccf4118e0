"""``smplab replay``: make a recorded run again and say whether it is the same."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cluster.cli.completion import complete_run
from cluster.exit_codes import FAILED, OK, USAGE, CliError, report


def replay(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", autocompletion=complete_run, help="A run directory; latest."),
    ],
) -> int:
    """Make a recorded run again and compare its digest.

    The run must have an order log: run it with --record order, or under a scheme that is not
    deterministic. Exit code 0: the same; 1: different, with the first difference; 2: there is
    nothing to replay or to compare.
    """
    import tempfile

    from cluster.cli.keeping import abandoned_on_failure
    from cluster.digest import short_digest
    from cluster.replay import replay as make_again
    from cluster.rundir import RunDir, RunDirError, run_path
    from cluster.sync.order_log import OrderLogError, RecordedOrder
    from cluster.trace import TraceError

    try:
        directory = RunDir.open(run_path(run))
        if not directory.order_path.is_file():
            raise CliError(
                USAGE,
                "no order log",
                f"{directory.path} has no order.log: run it again with --record order",
            )
        log = RecordedOrder(directory.order_path)
        manifest, summary = directory.manifest(), directory.summary()
        if not log.complete:
            raise CliError(
                USAGE,
                "no whole run",
                f"{directory.order_path} has no end: the run broke inside a round, so there is "
                "no digest to compare",
            )
        with (
            tempfile.TemporaryDirectory(prefix="smplab-replay-") as folder,
            abandoned_on_failure(None, log.machine),
        ):
            found = make_again(log, directory.path, summary, Path(folder))
    except RunDirError as error:
        raise CliError(USAGE, "no run", str(error)) from None
    except OrderLogError as error:
        raise CliError(USAGE, "bad order log", str(error)) from None
    except TraceError as error:
        raise CliError(USAGE, "bad trace", str(error)) from None
    counts = f"{log.counts.get('requests', 0)} requests in {log.counts.get('rounds', 0)} rounds"
    what = f"scheme {log.scheme}, recorded on the {log.engine} engine, {counts}"
    if not found.difference:
        print(f"same: digest {short_digest(found.result.digest)} ({what})")
        return OK
    print(f"different: {what}")
    print(f"  the run:    {summary['digest']}")
    print(f"  the replay: {found.result.digest}")
    sys.stdout.flush()
    report("replay differs", found.difference)
    _tell_versions(manifest)
    return FAILED


def _tell_versions(manifest: dict[str, object]) -> None:
    """Say if the run was made by another version, which need not give the same bytes."""
    from cluster.rundir import git_state, versions

    if manifest.get("versions") != versions() or manifest.get("git") != git_state():
        report("note", "the run was made by another version of smplab or of what it needs")


def register(app: typer.Typer) -> None:
    """Add the command ``replay`` to ``app``."""
    app.command()(replay)
