"""Who makes the runs of ``smplab race``: ``--jobs`` and ``--engine``; replays made many times."""

import json
import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cluster.exit_codes import BROKEN, BUG_FOUND, DIVERGED, OK, USAGE, CliError, report

if TYPE_CHECKING:
    from cluster.race.again import Record
    from cluster.race.explore import Found, Plan
    from cluster.race.run import Scenario
    from cluster.race.workers import Workers

Jobs = Annotated[int, typer.Option(min=0, max=1024, help="Workers; 0: one for each processor.")]
Engine = Annotated[
    str, typer.Option("--engine", help="local, processes of this host, or ray, tasks of Ray.")
]
Audit = Annotated[
    int,
    typer.Option(
        "--audit",
        min=0,
        metavar="N",
        help="Make every N-th run again elsewhere, and compare: hashes of strings, compiled core.",
    ),
]
Times = Annotated[int, typer.Option("--times", min=1, max=1_000_000, help="So many times.")]

LOST: Final = "workers lost"
_NO_COMPILED: Final = (
    "audit: there is no compiled core to compare with (smplab compile; none has mutations of code)"
)
_REPLAYS: Final = 10  # that a worker makes before it tells of them


def workers(jobs: int, engine: str, core: str = "pure") -> "Workers":
    """Return who makes runs."""
    from cluster.race.workers import Here, Processes

    jobs = jobs or os.cpu_count() or 1
    if engine == "ray":
        from cluster.race.ray_workers import OnRay

        return OnRay(jobs, _told, core=core)
    if engine != "local":
        raise CliError(USAGE, "usage", f"--engine: expected local or ray, found {engine!r}")
    return Here() if jobs <= 1 else Processes(jobs, _told, follow=core == "pure")


def _told(message: str) -> None:
    report("race", message)


def check_audit(plan: "Plan", found: "Found") -> tuple[list[str], dict[str, Any]]:
    """Make the samples again; return what to print and what JSON has of it.

    Raises:
        CliError: workers died.
    """
    from cluster.race.audit import audit
    from cluster.race.workers import WorkerLost

    try:
        differences, compiled = audit(plan, found.learned, found.samples, _told)
    except WorkerLost as error:
        raise CliError(BROKEN, LOST, str(error)) from None
    count = len(found.samples)
    where = "under other hashes of strings" + (" and on the compiled core" if compiled else "")
    plain = {"runs": count, "compiled": compiled, "differences": differences}
    if differences:
        return [f"audit: {count} runs made again {where}:", *differences], plain
    same = f"audit: {count} runs made again {where}: the same steps, traces and digests"
    if compiled:
        return [same], plain
    return [same, _NO_COMPILED], plain


def end_of(found: "Found", audited: dict[str, Any] | None) -> None:
    """End the command where an exploration was cut, or an audit found differences.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM ended it.
        CliError: workers were lost, or runs are not the same everywhere.
    """
    if found.interrupted:
        raise KeyboardInterrupt
    if found.lost:
        raise CliError(BROKEN, LOST, found.lost)
    if audited is not None and audited["differences"]:
        raise CliError(DIVERGED, "audit", "runs of one seed differ")


def replay_often(
    scenario: "Scenario",
    record: "Record",
    times: int,
    who: "Workers",
    *,
    watched: bool,
    as_json: bool,
) -> int:
    """Make a replay so many times and tell whether all are the same; return the exit code.

    Raises:
        CliError: one went another way, or workers died.
    """
    from collections import Counter

    from cluster.race.again import replays
    from cluster.race.run import CLEAN, Diverged
    from cluster.race.workers import WorkerLost

    ends: Counter[tuple[str, str]] = Counter()
    ranges = [range(at, min(at + _REPLAYS, times)) for at in range(0, times, _REPLAYS)]
    try:
        with closing(who.results(replays, (scenario, record, watched), ranges)) as every:
            for found in every:
                ends.update(found)
    except Diverged as error:
        raise CliError(DIVERGED, "replay diverged", str(error)) from None
    except WorkerLost as error:
        raise CliError(BROKEN, LOST, str(error)) from None
    if as_json:
        rows = [
            {"kind": kind, "digest": digest, "runs": count}
            for (kind, digest), count in sorted(ends.items())
        ]
        print(json.dumps({"times": times, "endings": rows}, indent=2))
    else:
        for (kind, digest), count in sorted(ends.items()):
            print(f"{count} of {times}: the same steps, {kind}, digest {digest}")
    sys.stdout.flush()
    if len(ends) > 1:
        raise CliError(DIVERGED, "replay diverged", "the same steps have more than one digest")
    return OK if next(iter(ends))[0] == CLEAN else BUG_FOUND
