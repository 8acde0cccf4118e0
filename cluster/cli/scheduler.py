"""``smplab scheduler check``: properties that a scheduler of one's own must have."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cluster.exit_codes import FAILED, OK, USAGE, CliError

_CHECK: Final = "check"


def scheduler(
    action: Annotated[str, typer.Argument(metavar=_CHECK, help="What to do: check.")],
    name: Annotated[
        str, typer.Argument(metavar="FILE.py:CLASS", help="The scheduler, or an installed one.")
    ],
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=1000, help="How many workloads are tried.")
    ] = 4,
) -> int:
    """Run a scheduler of your own through workloads, and say which properties it has.

    Exit code 1 if one does not hold, 2 if there is no such scheduler.
    """
    from cluster.sched_classes import SchedClassError, find
    from cluster.scheduler_check import check
    from kernel.trace.printable import printable_line

    if action != _CHECK:
        raise CliError(USAGE, "usage", f"scheduler: {action!r} is no action (there is: {_CHECK})")
    try:
        found = find(name, Path())
    except SchedClassError as error:
        raise CliError(USAGE, "usage", str(error)) from None
    failed = 0
    print(f"{'PROPERTY':40} RUNS  RESULT")
    for outcome in check(found, seeds):
        failed += bool(outcome.reason)
        result = f"FAIL: {outcome.reason}" if outcome.reason else "pass"
        print(printable_line(f"{outcome.name:40} {outcome.runs:4}  {result}"), flush=True)
    if failed:
        raise CliError(FAILED, "scheduler", f"{name}: {failed} of the properties do not hold")
    return OK


def register(app: typer.Typer) -> None:
    """Add the command ``scheduler`` to ``app``."""
    app.command("scheduler")(scheduler)
