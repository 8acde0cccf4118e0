"""An experiment file: a base configuration, what is changed of it, and what is measured.

::

    base: base.yaml
    set: {trace.enabled: false}
    axes:
      sched.fair: [cfs, eevdf]
      machine.cpus: {laptop: 4, server: 64}
      workloads.0.instances: 1..64 times 2
    seeds: 1..5
    measure: [virtual, summary.memory.cow_copied]

Every key of ``axes`` is a key of the configuration, as ``--set`` takes it; its values
(``cluster.config.axes``) are crossed with those of the others, the last axis changing fastest, and
with the seeds. Each combination is a *point*: the base with ``set`` and these values put in.
Relative paths in values start where the base is.
"""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from cluster.config.axes import AXIS_SCHEMA, SEEDS_SCHEMA, Axes, read_axes, read_seeds
from cluster.config.errors import ConfigError, KeyPath, Problem, got
from cluster.config.load import Loaded, Override, has_keys, load_model, parse_config, read_text
from cluster.config.measures import TRACED, wrong_measure
from cluster.config.model import Model
from cluster.config.models import NAME_PATTERN
from cluster.config.source import Document, read_document


class ExperimentKeys(Model):
    """The keys of an experiment file."""

    name: Annotated[str, Field(pattern=NAME_PATTERN, description="What the sweep is called.")] = (
        "sweep"
    )
    base: Annotated[str, Field(min_length=1, description="Configuration, relative to this file.")]
    set: Annotated[
        dict[str, Any],
        Field(default_factory=dict, description="Keys and values that all points have instead."),
    ]
    axes: Annotated[
        dict[str, Annotated[Any, WithJsonSchema(AXIS_SCHEMA)]],
        Field(min_length=1, max_length=16, description="Keys and their values."),
    ]
    paired: Annotated[
        list[Annotated[list[str], Field(min_length=2)]],
        Field(default_factory=list, description="Axes that are not crossed but go together."),
    ]
    seeds: Annotated[
        Any,
        WithJsonSchema(SEEDS_SCHEMA),
        Field(description="A list or a range: one run each; default: the base's."),
    ] = None
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
    """A checked experiment file.

    Attributes:
        files: the experiment and its base, with the SHA-256 of what they held.
        texts: what they held.
    """

    name: str
    axes: tuple[str, ...]
    seeded: bool
    measure: tuple[str, ...]
    points: tuple[Point, ...]
    files: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()


def read_experiment(path: Path, look: Callable[[Loaded], None] | None = None) -> Experiment:
    """Read and check the experiment at ``path``, its base, and every point.

    Args:
        path: the file.
        look: gets the configuration of each point that is sound, in their order.

    Raises:
        ConfigError: with every problem, each at its place in the experiment or in the base.
    """
    keys, document = load_model(ExperimentKeys, path)
    problems: list[Problem] = []
    seeds = read_seeds(keys.seeds, document, problems)
    axes = read_axes(keys.axes, keys.paired, max(len(seeds), 1), document, problems)
    problems += _wrong_measures(keys, document)
    problems += _wrong_set(keys, document)
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
    texts = ((document.name, document.text), (base.name, base.text))
    files = tuple((name, sha256(text.encode()).hexdigest()) for name, text in texts)
    points = _points(keys, axes, seeds, document, base, look)
    names = tuple(axis.key for axis in axes.axes)
    return Experiment(keys.name, names, bool(seeds), tuple(keys.measure), points, files, texts)


def _points(
    keys: ExperimentKeys,
    axes: Axes,
    seeds: tuple[int, ...],
    document: Document,
    base: Document,
    look: Callable[[Loaded], None] | None,
) -> tuple[Point, ...]:
    """Return every point. Raises ConfigError: what is wrong with the configuration of any."""
    found: dict[str, Problem] = {}
    points: list[Point] = []
    traced = TRACED & set(keys.measure)
    for numbers in axes.choices():
        data = deepcopy(base.data)
        places: dict[str, KeyPath] = {}
        labels = []
        for key, value in keys.set.items():
            places[key] = ("set", key)
            _note(_put(data, key, deepcopy(value)), ("set", key), document, found)
        for axis, number in zip(axes.axes, numbers, strict=True):
            label, value = axis.values[number]
            places[axis.key] = axis.place(number, label)
            labels.append(label)
            _note(_put(data, axis.key, deepcopy(value)), ("axes", axis.key), document, found)
        for seed in seeds or (None,):
            if seed is not None:
                data["seed"] = seed
            text, folder = json.dumps(data), Path(base.name).parent
            point = Point(len(points), tuple(labels), seed, f"{base.name}.json", text, folder)
            points.append(point)
            try:
                loaded = point.load()
            except ConfigError as error:
                wrong = [_at_home(each, places, document, base) for each in error.problems]
            else:
                wrong = [
                    _at_home(each, places, document, base) for each in _no_sweep(loaded, traced)
                ]
                if look is not None and not wrong and not found:
                    look(loaded)
            for problem in wrong:
                found.setdefault(str(problem), problem)
    if found:
        raise ConfigError(list(found.values()))
    return tuple(points)


def _note(what: str, path: KeyPath, document: Document, found: dict[str, Problem]) -> None:
    if what:
        problem = document.problem(path, what, of_key=True)
        found.setdefault(str(problem), problem)


def _no_sweep(loaded: Loaded, traced: set[str] | frozenset[str]) -> Iterator[Problem]:
    """Yield why a sweep cannot run a configuration that is sound.

    Args:
        traced: what is measured of it from the trace.
    """
    config = loaded.config
    if config.engine != "local":
        what = f"the points of a sweep have the engine local {got(config.engine)}"
        yield Problem("", 0, 0, "engine", what)
    if traced and not config.trace.enabled:
        what = f"{', '.join(sorted(traced))}: a sweep measures from the trace (got false)"
        yield Problem("", 0, 0, "trace.enabled", what)


def _wrong_set(keys: ExperimentKeys, document: Document) -> Iterator[Problem]:
    for key in keys.set:
        if key in keys.axes:
            yield document.problem(("set", key), "is an axis, too", of_key=True)
        if key == "seed":
            what = "seeds have a key of their own: seeds"
            yield document.problem(("set", key), what, of_key=True)


def _wrong_measures(keys: ExperimentKeys, document: Document) -> Iterator[Problem]:
    for number, measure in enumerate(keys.measure):
        if measure in keys.measure[:number]:
            what = "is there twice"
        else:
            what = wrong_measure(measure)
        if what:
            yield document.problem(("measure", number), f"{what} {got(measure)}")


def _read_base(path: Path) -> Document:
    """Return the base's document. Raises ConfigError: it cannot be read, or is no mapping."""
    base = read_document(str(path), read_text(path))
    problems = list(base.problems)
    if not isinstance(base.data, dict):
        problems.append(base.problem((), f"must be a mapping {got(base.data)}"))
    if problems:
        raise ConfigError(problems)
    return base


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
