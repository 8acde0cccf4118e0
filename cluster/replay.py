"""A recorded run made again from its order log, and compared with what it was.

Two runs are the same if their digests are; where they are not, the first difference is looked for:
the round in which the machine asked for something else than was served, else the first record of
the traces, else the first number of the summaries.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from cluster.digest import digested_part
from cluster.engine_api import RunRequest, RunResult
from cluster.local_engine import run_local
from cluster.request import request_of_log
from cluster.sync.order_log import RecordedOrder
from cluster.trace import TraceReader
from cluster.trace.reader import TraceRecord


@dataclass(slots=True)
class Replay:
    """How a replay went: ``difference`` is empty if it gave the same digest."""

    result: RunResult
    difference: str


def replay(
    log: RecordedOrder,
    run: Path,
    summary: dict[str, Any],
    scratch: Path,
    make: Callable[[RunRequest], RunResult] = run_local,
) -> Replay:
    """Make a run again, and compare.

    Args:
        log: what was recorded; its machine may trace where the run did not: then the digests say
            nothing, and the summaries are compared.
        run: the directory of the run.
        summary: of the run, with its digest.
        scratch: a folder for the replay's trace.
        make: makes it.
    """
    traced = log.machine.trace and not (run / "trace.smpt").is_file()
    result = make(request_of_log(log, out_dir=scratch))
    if result.digest and result.digest == summary["digest"]:
        return Replay(result, "")
    if traced and result.summary:
        return Replay(result, first_number(digested_part(summary), digested_part(result.summary)))
    name = "trace.smpt"
    told = result.message if result.exit_kind in ("broken", "invariant") else ""
    if not told and (run / name).is_file() and (scratch / name).is_file():
        told = first_record(run / name, scratch / name)
    if not told:
        told = first_number(digested_part(summary), digested_part(result.summary))
    return Replay(result, told or "the digests differ, and neither traces nor summaries do")


def first_record(run: Path, again: Path) -> str:
    """Return where two traces first differ, or an empty string.

    Raises:
        TraceError: one of them is damaged.
    """
    with TraceReader(run) as old, TraceReader(again) as new:
        for before, after in zip_longest(old.select(), new.select()):
            if before != after:
                return f"the run has: {_shown(before)}\nthe replay has: {_shown(after)}"
    return ""


def _shown(record: TraceRecord | None) -> str:
    if record is None:
        return "no further record"
    fields = " ".join(f"{name}={value}" for name, value in record.fields.items())
    return f"{record.time_ns} ns, cpu {record.cpu}: {record.event} {fields}"


def first_number(old: Any, new: Any) -> str:
    """Return where two summaries first differ, or an empty string."""
    for where, before, after in _differences("", old, new):
        return f"summary, {where}: the run has {before!r}, the replay has {after!r}"
    return ""


def _differences(where: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            place = f"{where}.{key}" if where else key
            yield from _differences(place, old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new)):
            yield from _differences(f"{where}[{number}]", before, after)
    elif old != new:
        yield where, old, new
