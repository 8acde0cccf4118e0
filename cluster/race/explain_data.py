"""An explanation as data for JSON, and as a trace for Perfetto.

The trace is in the JSON form of trace events, which Perfetto and chrome://tracing open: a track for
each CPU with a slice for each step, a track for each lock with a slice for each hold, and an arrow
from the first of the conflicting pair to the second. Virtual time says little at granularity
``step``, so step n lies at n ms; the true time is among the arguments of its slice.

Source: Trace Event Format (Google, 2016).
"""

from dataclasses import asdict
from typing import Any, Final

from cluster.race.explain import Explanation, Side
from cluster.race.explain_text import conclusions, headline, order_told
from cluster.race.layout import access_told
from cluster.race.recorder import Step
from cluster.race.run import RACE, Verdict
from cluster.race.schedule import segments_of

FORMAT: Final = "smplab race explanation 1"

_STEP_US: Final = 1000
_CPUS: Final = 1  # process ids of the tracks
_LOCKS: Final = 2


def as_data(told: Explanation) -> dict[str, Any]:
    """Return everything an explanation has, as lists, strings and numbers."""
    asked, before, after = told.invariant
    usual = told.usual
    turned = told.turned
    return {
        "format": FORMAT,
        "scenario": told.scenario.name,
        "mutations": list(told.scenario.spec.mutations),
        "model": told.scenario.spec.memory_model,
        "headline": headline(told),
        "kind": told.verdict.kind,
        "signature": told.verdict.signature,
        "report": "" if told.verdict.kind == RACE else told.verdict.text,
        "segments": [list(segment) for segment in segments_of(told.run.actors)],
        "field": told.what or None,
        "first": _side(told, told.first),
        "second": _side(told, told.second),
        "usual_lock": None
        if usual is None
        else {"lock": usual[0], "accesses_with_it": usual[1], "accesses": usual[2]},
        "invariant": {"asked": asked, "before": before, "after": after},
        "turned_round": None
        if turned is None
        else {
            "possible": turned.happened,
            "verdict": _verdict(turned.verdict),
            "race_let_pass": None if turned.passed is None else _verdict(turned.passed),
            "race_let_pass_as_it_was": None
            if turned.as_it_was is None
            else _verdict(turned.as_it_was),
            "pairs_tried_before": turned.tried,
        },
        "order": order_told(told),
        "dropped": told.dropped,
        "shown_from": told.begin,
        "steps": [asdict_of(step) for step in told.steps],
    }


def asdict_of(step: Step) -> dict[str, Any]:
    """Return a step as data, its keys for other runs left out."""
    data = asdict(step)
    for touch in data["touches"]:
        del touch["key"]
    return data


def _side(told: Explanation, side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {**asdict(side), "text": access_told(told, side)}


def _verdict(verdict: Verdict) -> dict[str, str]:
    return {"kind": verdict.kind, "signature": verdict.signature}


def as_trace(told: Explanation) -> dict[str, Any]:
    """Return the whole run as trace events; see the module header."""
    events = [_named("process_name", _CPUS, 0, "CPUs"), _named("process_name", _LOCKS, 0, "locks")]
    cpus = sorted({step.cpu for step in told.steps})
    events += [_named("thread_name", _CPUS, cpu, f"cpu {cpu}") for cpu in cpus]
    events += [_slice(told, step) for step in told.steps]
    events += _holds(told.steps)
    if told.first is not None and told.second is not None:
        arrow = {"name": told.what, "cat": "conflict", "id": 1, "pid": _CPUS}
        one, two = told.first, told.second
        events.append({**arrow, "ph": "s", "tid": one.cpu, "ts": _at(one.step) + _STEP_US // 2})
        events.append(
            {**arrow, "ph": "f", "bp": "e", "tid": two.cpu, "ts": _at(two.step) + _STEP_US // 2}
        )
    if told.steps:
        last = told.steps[-1]
        events.append(
            {
                "name": headline(told),
                "ph": "i",
                "s": "g",
                "pid": _CPUS,
                "tid": last.cpu,
                "ts": _at(last.number) + _STEP_US // 2,
            }
        )
    return {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {"scenario": told.scenario.name, "explanation": "\n".join(conclusions(told))},
    }


def _at(step: int) -> int:
    return step * _STEP_US


def _named(what: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"name": what, "ph": "M", "pid": process, "tid": thread, "args": {"name": name}}


def _slice(told: Explanation, step: Step) -> dict[str, Any]:
    sides = [side for side in (told.first, told.second) if side and side.step == step.number]
    return {
        "name": step.name,
        "cat": "conflict" if sides else step.kind,
        "ph": "X",
        "pid": _CPUS,
        "tid": step.cpu,
        "ts": _at(step.number),
        "dur": _STEP_US,
        "args": {
            "step": step.number,
            "who": step.who,
            "virtual_ns": step.now_ns,
            "about": step.about,
            "locks": ", ".join(lock.name for lock in step.held),
            "lock dropped": step.dropped,
            "waits": step.waits,
            "conflict": "; ".join(access_told(told, side) for side in sides),
            "writes": "; ".join(
                f"{touch.name}: {touch.before} -> {touch.after}"
                for touch in step.touches
                if touch.write and touch.before != touch.after
            ),
        },
    }


def _holds(steps: list[Step]) -> list[dict[str, Any]]:
    """Return a slice for each time somebody has a lock, on a track for the lock."""
    tracks: dict[str, int] = {}
    since: dict[tuple[str, int], tuple[int, str]] = {}  # lock, actor -> step, who
    events: list[dict[str, Any]] = []

    def close(lock: str, actor: int, end: int) -> None:
        begin, who = since.pop((lock, actor))
        events.append(
            {
                "name": who,
                "cat": "lock",
                "ph": "X",
                "pid": _LOCKS,
                "tid": tracks[lock],
                "ts": _at(begin),
                "dur": _at(end) - _at(begin),
            }
        )

    for step in steps:
        held = {lock.name for lock in step.held}
        for lock in step.held:
            if lock.name not in tracks:
                tracks[lock.name] = len(tracks)
                events.append(_named("thread_name", _LOCKS, tracks[lock.name], lock.name))
            since.setdefault((lock.name, step.actor), (step.number, step.who))
        for name, actor in [key for key in since if key[1] == step.actor and key[0] not in held]:
            close(name, actor, step.number)
    for name, actor in list(since):
        close(name, actor, steps[-1].number + 1)
    return events
