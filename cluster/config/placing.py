"""Values put at keys of a configuration, and what is wrong with them told where they stand."""

from collections.abc import Mapping
from typing import Any

from cluster.config.errors import KeyPath, Problem
from cluster.config.source import Document


def put(data: dict[str, Any], key: str, value: Any) -> str:
    """Put ``value`` at the dotted ``key``; return what is wrong, if that is no place."""
    *way, last = key.split(".")
    at: Any = data
    for place, part in enumerate(way):
        below = _below(at, part)
        if below is None:
            if not isinstance(at, dict) or part in at:
                return f"the base has no {'.'.join(way[: place + 1])}"
            below = at[part] = {}
        at = below
    if isinstance(at, dict):
        at[last] = value
    elif isinstance(at, list) and last.isdigit() and int(last) < len(at):
        at[int(last)] = value
    else:
        return f"the base has no {key}"
    return ""


def _below(at: Any, part: str) -> Any:
    if isinstance(at, dict):
        found = at.get(part)
    elif isinstance(at, list) and part.isdigit() and int(part) < len(at):
        found = at[int(part)]
    else:
        return None
    return found if isinstance(found, (dict, list)) else None


def at_home(
    problem: Problem, places: Mapping[str, KeyPath], document: Document, base: Document
) -> Problem:
    """Return a problem of a point where it was written: in an axis, or else in the base."""
    of_key = problem.what.startswith("unknown key")
    for key, place in places.items():
        if problem.path == key or problem.path.startswith(f"{key}."):
            rest = _parts(problem.path[len(key) + 1 :])
            path = place[:2] if of_key and not rest else (*place, *rest)
            return document.problem(path, problem.what, of_key=of_key)
    return base.problem(tuple(_parts(problem.path)), problem.what, of_key=of_key)


def _parts(path: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part for part in path.split(".") if part]
