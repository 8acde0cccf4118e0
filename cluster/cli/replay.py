"""``smplab replay``: make a recorded run again and say whether it is the same."""

import difflib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cluster.cli.options import RunArgument
from cluster.exit_codes import FAILED, INVARIANT, OK, USAGE, CliError, report

_DIGITS: Final = 18  # of a number that anything here can be

if TYPE_CHECKING:
    from cluster.engine_api import RunRequest, RunResult
    from cluster.inspection import Stops
    from cluster.replay import Replay
    from cluster.rundir import RunDir
    from cluster.sync.order_log import RecordedOrder


def replay(
    run: RunArgument,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME|REQUEST", help="Stop at a virtual time (2ms), or after N requests (500)."
        ),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep a trace of the replay in DIR, a new one."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check all invariants while it runs, too.")
    ] = False,
    breaks: Annotated[
        list[str] | None,
        typer.Option(
            "--break",
            metavar="PID|TRACEPOINT|POINT",
            help="Stop there and ask what to show: help lists it. May be repeated.",
        ),
    ] = None,
) -> int:
    """Make a recorded run again and compare its digest.

    The run must have an order log: run it with --record order, or under a scheme that is not
    deterministic. Exit code 0: the same, or stopped where you wanted; 1: different, with the first
    difference; 2: there is nothing to replay or to compare; 4: --check found an invariant broken.
    """
    import tempfile

    from cluster.cli.keeping import abandoned_on_failure
    from cluster.replay import replay as make_again
    from cluster.rundir import RunDirError
    from cluster.sync.order_log import OrderLogError
    from cluster.trace import TraceError

    try:
        directory, log = _recorded(run)
        stops = _stops(until, breaks or (), log)
        manifest, summary = directory.manifest(), directory.summary()
        if not log.complete:
            raise CliError(
                USAGE,
                "no whole run",
                f"{directory.order_path} has no end: the run broke inside a round, so there is "
                "no digest to compare",
            )
        log.machine.trace |= trace is not None or bool(stops.events)
        log.machine.check |= check
        with (
            tempfile.TemporaryDirectory(prefix="smplab-replay-") as folder,
            abandoned_on_failure(None, log.machine),
        ):
            kept = Path(folder) if trace is None else _new_folder(trace)
            make = _maker(stops)
            found = make_again(log, directory.path, summary, kept, make)
    except RunDirError as error:
        raise CliError(USAGE, "no run", str(error)) from None
    except OrderLogError as error:
        raise CliError(USAGE, "bad order log", str(error)) from None
    except TraceError as error:
        raise CliError(USAGE, "bad trace", str(error)) from None
    return _told(found, log, manifest, summary, trace)


def _recorded(run: Path) -> "tuple[RunDir, RecordedOrder]":
    """Return a run directory and its log.

    Raises:
        CliError: it has none.
    """
    from cluster.rundir import RunDir, run_path
    from cluster.sync.order_log import RecordedOrder

    directory = RunDir.open(run_path(run))
    if not directory.order_path.is_file():
        raise CliError(
            USAGE,
            "no order log",
            f"{directory.path} has no order.log: run it again with --record order",
        )
    return directory, RecordedOrder(directory.order_path)


def _stops(until: str | None, breaks: Sequence[str], log: "RecordedOrder") -> "Stops":
    """Return where to stop.

    Raises:
        CliError: something is neither a time nor a number; or no pid, tracepoint or point.
    """
    from cluster.inspection import Stops
    from cluster.point_names import point_kinds
    from cluster.report.units import parse_ns
    from kernel.events import EVENTS

    requests = int(until) if until is not None and _is_number(until) else None
    until_ns = None
    if until is not None and requests is None:
        try:
            until_ns = parse_ns(until)
        except ValueError:
            what = f"--until {until!r}: no virtual time (50us, 1.5ms, 2s) and no number of requests"
            raise CliError(USAGE, "usage", what) from None
    pids, events, points = [], [], []
    names = [name for name, _fields in EVENTS.values()]
    for text in breaks:
        if _is_number(text) and int(text):
            pids.append(int(text))
        elif text in names:
            events.append(text)
        elif text in point_kinds():
            if log.machine.granularity != "step":
                what = f"--break {text}: a point is passed at granularity step, and this run is not"
                raise CliError(USAGE, "usage", what)
            points.append(text)
        else:
            near = difflib.get_close_matches(text, [*names, *point_kinds()], 1, 0.6)
            hint = f"; did you mean {near[0]}?" if near else ""
            what = f"--break {text!r}: no pid, no tracepoint and no point of the kernel{hint}"
            raise CliError(USAGE, "usage", what)
    return Stops(until_ns, requests, tuple(pids), tuple(events), tuple(points))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS


def _new_folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise CliError(USAGE, "usage", f"--trace: {path}: {error.strerror}") from None
    return path


def _maker(stops: "Stops") -> "Callable[[RunRequest], RunResult]":
    """Return what makes the replay: a run that stops, if it is to stop anywhere."""
    from cluster.cli.replay_prompt import Prompt
    from cluster.inspection import Inspected, Stops
    from cluster.local_engine import run_local

    if stops == Stops():
        return run_local
    asks = stops.pids or stops.events or stops.points
    return lambda request: Inspected(request, stops, Prompt(None if asks else ())).run()


def _told(
    found: "Replay",
    log: "RecordedOrder",
    manifest: dict[str, Any],
    summary: dict[str, Any],
    trace: Path | None,
) -> int:
    """Tell how the replay went; return the exit code."""
    from cluster.digest import short_digest
    from cluster.engine_api import INTERRUPTED
    from cluster.engine_api import INVARIANT as BROKEN_INVARIANT

    result = found.result
    if trace is not None:
        print(f"trace: {trace / 'trace.smpt'}")
    counts = f"{log.counts.get('requests', 0)} requests in {log.counts.get('rounds', 0)} rounds"
    what = f"scheme {log.scheme}, recorded on the {log.engine} engine, {counts}"
    if not found.difference:
        same = "digest" if result.digest == summary["digest"] else "summary"
        told = short_digest(result.digest) if same == "digest" else "as of the run, without a trace"
        print(f"same: {same} {told} ({what})")
        return OK
    if result.exit_kind == INTERRUPTED and not log.stopped:
        print(f"stopped: {result.message} ({what})")
        return OK
    if result.exit_kind == BROKEN_INVARIANT and log.counts and summary["run"]["verdict"]:
        report("invariant violated", result.message)
        return INVARIANT
    print(f"different: {what}")
    print(f"  the run:    {summary['digest']}")
    print(f"  the replay: {result.digest}")
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
