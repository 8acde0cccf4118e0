"""An experiment file: a base configuration, what is changed of it, and what is measured.

::

    base: base.yaml
    axes:
      sched.fair: [cfs, eevdf]
      machine.cpus: {laptop: 4, server: 64}
    seeds: [1, 2]
    measure: [virtual, wait_p99]

Every key of ``axes`` is a key of the configuration, as ``--set`` takes it; its values are crossed
with those of the others, the last axis changing fastest, and with the seeds. Each combination is a
*point*: the base with these values put in. A value that is no scalar has a name: then the values
are a mapping from names. Relative paths in values start where the base is.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from cluster.config.errors import ConfigError, KeyPath, Problem, got
from cluster.config.load import Loaded, Override, has_keys, load_model, parse_config, read_text
from cluster.config.model import Model
from cluster.config.models import NAME_PATTERN
from cluster.config.source import Document, read_document

MAX_POINTS: Final = 10_000
# measure -> what it is
MEASURES: Final = {
    "virtual": "when the run ended, in virtual time",
    "wait_p50": "a wait for the CPU that half of all do not exceed",
    "wait_p95": "the same of 95 %",
    "wait_p99": "the same of 99 %",
    "wait_max": "the longest wait for a CPU",
    "jain": "Jain's index of fairness, mean of windows of 100 ms, in millionths",
    "migrations": "tasks that were moved to another CPU",
    "switches": "changes of the running task",
    "fork_mean": "from a fork until the child runs first, mean",
    "queue_mean": "a wait on a runqueue, mean, as the summary counts it",
    "lock_wait": "waits for locks of the kernel, sum",
    "violations": "effects that came to a CPU in its past",
    "late_mean": "by how much they were late, mean",
    "late_p99": "a lateness that 99 % of them do not exceed",
    "late_max": "the greatest lateness",
}
TRACED: Final = frozenset(("wait_p50", "wait_p95", "wait_p99", "wait_max", "jain"))  # need a trace
TIMES: Final = (  # in ns
    *("virtual", "wait_p50", "wait_p95", "wait_p99", "wait_max", "fork_mean", "queue_mean"),
    *("lock_wait", "late_mean", "late_p99", "late_max"),
)
_SAID: Final = re.compile(r"(said|rate)\.([A-Za-z_][A-Za-z0-9_]*)\Z", re.ASCII)
_KEY: Final = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*\Z", re.ASCII)
_LABEL: Final = re.compile(r"[!-~]{1,40}\Z")


class ExperimentKeys(Model):
    """The keys of an experiment file."""

    name: Annotated[str, Field(pattern=NAME_PATTERN, description="What the sweep is called.")] = (
        "sweep"
    )
    base: Annotated[str, Field(min_length=1, description="Configuration, relative to this file.")]
    axes: Annotated[
        dict[str, Any], Field(min_length=1, max_length=8, description="Keys and their values.")
    ]
    seeds: (
        Annotated[
            list[Annotated[int, Field(ge=0, lt=1 << 63)]],
            Field(min_length=1, max_length=1000, description="One run each; default: the base's."),
        ]
        | None
    ) = None
    measure: Annotated[
        list[str], Field(min_length=1, max_length=50, description="Columns of the result.")
    ]


def is_experiment(path: Path) -> bool:
    """Tell whether the file at ``path`` is an experiment: see ``has_keys``."""
    return has_keys(path, "axes")


@dataclass(slots=True, frozen=True)
class Point:
    """One run of a sweep: the configuration it runs, and by what it differs from the others."""

    index: int
    labels: tuple[str, ...]  # one for each axis
    seed: int | None  # None: the base's
    name: str  # of the configuration, for messages
    text: str  # of the configuration
    folder: Path  # relative paths in the configuration start here
    overrides: tuple[Override, ...] = ()  # what flags say, as in ``parse_config``

    def load(self) -> Loaded:
        """Return the configuration; it has been found sound."""
        return parse_config(self.name, self.text, self.folder, self.overrides)


@dataclass(slots=True, frozen=True)
class Experiment:
    """A checked experiment file."""

    name: str
    axes: tuple[str, ...]
    seeded: bool
    measure: tuple[str, ...]
    points: tuple[Point, ...]


def read_experiment(path: Path) -> Experiment:
    """Read and check the experiment at ``path``, its base, and every point.

    Raises:
        ConfigError: with every problem, each at its place in the experiment or in the base.
    """
    keys, document = load_model(ExperimentKeys, path)
    problems = [*_wrong_axes(keys, document), *_wrong_measures(keys, document)]
    try:
        base = _read_base(path.parent / keys.base)
    except ConfigError as error:
        if not any(each.line or each.path for each in error.problems):  # it cannot be read
            unread = [f"{each.file}: {each.what}" for each in error.problems]
            error = ConfigError([document.problem(("base",), what) for what in unread])
        if problems:
            error = ConfigError(problems + error.problems)
        raise error from None
    if problems:
        raise ConfigError(problems)
    axes = {key: _named_values(values) for key, values in keys.axes.items()}
    found: dict[str, Problem] = {}
    points = []
    choices = [list(enumerate(values.items())) for values in axes.values()]
    combinations = [
        (chosen, seed) for chosen in product(*choices) for seed in keys.seeds or (None,)
    ]
    for index, (chosen, seed) in enumerate(combinations):
        data = deepcopy(base.data)
        places: dict[str, KeyPath] = {}
        for key, (number, (label, value)) in zip(axes, chosen, strict=True):
            places[key] = ("axes", key, label if isinstance(keys.axes[key], dict) else number)
            what = _put(data, key, value)
            if what:
                problem = document.problem(("axes", key), what, of_key=True)
                found.setdefault(str(problem), problem)
        if seed is not None:
            data["seed"] = seed
        labels = tuple(label for _, (label, _) in chosen)
        text, folder = json.dumps(data), Path(base.name).parent
        point = Point(index, labels, seed, f"{base.name}.json", text, folder)
        points.append(point)
        for problem in _wrong_point(point, places, document, base, TRACED & set(keys.measure)):
            found.setdefault(str(problem), problem)
    if found:
        raise ConfigError(list(found.values()))
    return Experiment(
        keys.name, tuple(axes), keys.seeds is not None, tuple(keys.measure), tuple(points)
    )


def _wrong_axes(keys: ExperimentKeys, document: Document) -> Iterator[Problem]:
    """Yield what is wrong with the axes, but for what the configuration makes of their values."""
    points = len(keys.seeds or (None,))
    for key, values in keys.axes.items():
        path: KeyPath = ("axes", key)
        if not _KEY.match(key):
            what = f"must be a key of the configuration, as in machine.cpus {got(key)}"
            yield document.problem(path, what, of_key=True)
        if key == "seed":
            yield document.problem(path, "seeds have a key of their own: seeds", of_key=True)
        if not isinstance(values, (list, dict)) or not values:
            yield document.problem(path, f"must be a list of values, or a mapping {got(values)}")
            continue
        points *= len(values)
        if isinstance(values, dict):
            for label in values:
                if not _LABEL.match(label):
                    what = f"a name has 1 to 40 characters and no blank {got(label)}"
                    yield document.problem((*path, label), what, of_key=True)
            continue
        seen: set[str] = set()
        for number, value in enumerate(values):
            if isinstance(value, (list, dict)) or value is None:
                what = f"must be a scalar; in a mapping each value has a name {got(value)}"
                yield document.problem((*path, number), what)
            elif _label(value) in seen:
                yield document.problem((*path, number), f"is there twice {got(value)}")
            seen.add(_label(value))
    if points > MAX_POINTS:
        yield document.problem(("axes",), f"must make at most {MAX_POINTS:,} points (got {points})")


def _wrong_measures(keys: ExperimentKeys, document: Document) -> Iterator[Problem]:
    for number, measure in enumerate(keys.measure):
        if measure in keys.measure[:number]:
            yield document.problem(("measure", number), f"is there twice {got(measure)}")
        elif measure not in MEASURES and not _SAID.match(measure):
            known = ", ".join(MEASURES)
            what = f"must be one of {known}, said.WORD or rate.WORD {got(measure)}"
            yield document.problem(("measure", number), what)


def said_word(measure: str) -> tuple[str, str] | None:
    """Return ``said`` or ``rate``, and the word, of such a measure; None of another."""
    match = _SAID.match(measure)
    return (match[1], match[2]) if match else None


def _read_base(path: Path) -> Document:
    """Return the base's document. Raises ConfigError: it cannot be read, or is no mapping."""
    base = read_document(str(path), read_text(path))
    problems = list(base.problems)
    if not isinstance(base.data, dict):
        problems.append(base.problem((), f"must be a mapping {got(base.data)}"))
    if problems:
        raise ConfigError(problems)
    return base


def _label(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _named_values(values: Any) -> dict[str, Any]:
    return values if isinstance(values, dict) else {_label(value): value for value in values}


def _put(data: dict[str, Any], key: str, value: Any) -> str:
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


def _wrong_point(
    point: Point,
    places: dict[str, KeyPath],
    document: Document,
    base: Document,
    traced: set[str] | frozenset[str],
) -> Iterator[Problem]:
    """Yield what is wrong with the configuration of a point, where it was written.

    Args:
        places: by axis where its value stands in ``document``.
        traced: what is measured of it from the trace.
    """
    try:
        config = point.load().config
    except ConfigError as error:
        for problem in error.problems:
            yield _at_home(problem, places, document, base)
        return
    if config.engine != "local":
        yield base.problem(("engine",), f"a sweep runs on the engine local {got(config.engine)}")
    if traced and not config.trace.enabled:
        what = f"{', '.join(sorted(traced))}: a sweep measures from the trace (got false)"
        yield base.problem(("trace", "enabled"), what)


def _at_home(
    problem: Problem, places: dict[str, KeyPath], document: Document, base: Document
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
