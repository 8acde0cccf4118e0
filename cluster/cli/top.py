"""``smplab top``: a run as it goes, or as it went."""

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.cli.completion import complete_run
from cluster.cli.trace import print_lines, time_option
from cluster.exit_codes import OK, USAGE, CliError

if TYPE_CHECKING:
    from cluster.top.session import Session
    from cluster.top.source import Source

_HOW = "pip install 'smplab[tui]'"
_POLL_S = 0.25
_BEGIN_S = 30.0  # for a run that has begun to make its trace


def top(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]",
            autocompletion=complete_run,
            help="A run directory, latest, or a trace file; with --follow a folder of runs.",
        ),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option("--follow", "-f", help="The run that goes on in runs, or begins there next."),
    ] = False,
    speed: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Virtual time in a second of a replay: 5ms, 0.1."),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="Stand at this virtual time: 1.5ms, 0.25 (seconds).")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Print one frame as text: at --at, else now, or the end.")
    ] = False,
) -> int:
    """Watch a run as top does: CPUs with current, queue and load, tasks, locks, rates.

    A run that goes on is followed as it goes; one that is over is replayed, at any speed, forwards
    and backwards. Keys: ? shows them, q quits.
    """
    from cluster.top.session import LEAST_SPEED_NS, Session

    speed_ns, at_ns = time_option("--speed", speed), time_option("--at", at)
    if speed_ns is not None and speed_ns < LEAST_SPEED_NS:
        raise CliError(USAGE, "usage", f"--speed: must be {LEAST_SPEED_NS}ns or more (got {speed})")
    if run is None and not follow:
        what = "name a run, or latest, or --follow for the one that goes on or begins next"
        raise CliError(USAGE, "usage", what)
    if not once:
        _check_terminal()
    source = _source(_running(run) if follow else run)
    try:
        session = Session(source, speed_ns=speed_ns, at_ns=at_ns)
        if not once:
            return _show(session)
        _print(session)
        return OK
    finally:
        source.close()


def _is_terminal() -> bool:
    streams = sys.stdin, sys.stdout, sys.stderr  # textual writes to stderr
    there = all(stream is not None and stream.isatty() for stream in streams)
    return there and os.environ.get("TERM", "dumb") != "dumb"


def _check_terminal() -> None:
    if not _is_terminal():
        raise CliError(USAGE, "usage", "top needs a terminal; --once prints one frame as text")
    try:
        import textual  # noqa: F401
    except ImportError as missing:
        what = f"top needs textual ({missing}): {_HOW}; --once prints one frame without"
        raise CliError(USAGE, "usage", what) from None


def _running(base: Path | None) -> Path:
    """Return the newest run in a folder that goes on; wait for one if there is none."""
    from cluster.run_lock import is_driven
    from cluster.rundir import DEFAULT_BASE

    base = base or Path(DEFAULT_BASE)
    before: list[Path] | None = None
    while True:
        there = sorted(path.parent for path in base.glob("*/manifest.json"))
        # one that has begun meanwhile counts also if it is over already
        new = [] if before is None else [path for path in there if path not in before]
        found = [path for path in there if is_driven(path) or path in new]
        if found:
            return found[-1]
        if before is None:
            what = f"waiting for a run to begin in {base} (Ctrl-C ends)"
            print(f"smplab: {what}", file=sys.stderr, flush=True)
            before = there
        time.sleep(_POLL_S)


def _source(run: Path | None) -> "Source":
    """Return the records of a run; of one that has just begun, wait for them."""
    from cluster.rundir import RunDirError, run_path
    from cluster.top.source import NoSource, NotYet, Source
    from cluster.trace import TraceError

    assert run is not None
    until_s = time.monotonic() + _BEGIN_S
    while True:
        try:
            return Source(run_path(run))
        except NotYet as error:
            if time.monotonic() > until_s:
                raise CliError(USAGE, "no trace", str(error)) from None
        except NoSource as error:
            raise CliError(USAGE, "no trace", str(error)) from None
        except RunDirError as error:
            raise CliError(USAGE, "no run", str(error)) from None
        except TraceError as error:
            raise CliError(USAGE, "bad trace", str(error)) from None
        except OSError as error:
            raise CliError(USAGE, "no trace", f"{run}: {error.strerror}") from None
        time.sleep(_POLL_S)


def _show(session: "Session") -> int:
    from cluster.top.app import Top

    app = Top(session)
    app.run()
    if app.failure is not None:
        raise CliError(USAGE, "bad trace", str(app.failure))
    return app.return_code or OK


def _print(session: "Session") -> None:
    """Print one frame."""
    from cluster.rundir import RunDirError
    from cluster.top.session import once
    from cluster.top.view import Looks, lines_of
    from cluster.trace import TraceError

    try:
        shown = once(session)
    except (RunDirError, TraceError) as error:
        raise CliError(USAGE, "bad trace", str(error)) from None
    width = shutil.get_terminal_size((100, 24)).columns
    lines = lines_of(shown, Looks(), width, None)
    print_lines(line.plain.rstrip() for line in lines)


def register(app: typer.Typer) -> None:
    """Add the command ``top`` to ``app``."""
    app.command()(top)
