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
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, WithJsonSchema

from cluster.config.axes import (
    AXIS_SCHEMA,
    SEEDS_SCHEMA,
    Axes,
    Axis,
    read_axes,
    read_seeds,
    sound_axes,
)
from cluster.config.errors import ConfigError, KeyPath, Problem, dotted, got
from cluster.config.load import (
    Loaded,
    Override,
    has_keys,
    look_at_keys,
    parse_config,
    read_text,
    wrong_values,
)
from cluster.config.measures import TRACED, wrong_measure
from cluster.config.model import Model
from cluster.config.models import NAME_PATTERN
from cluster.config.placing import at_home, put
from cluster.config.source import Document, read_document

Step = Callable[[int, int], None]

#: keys that the points of a sweep do not act upon -> why
_NO_EFFECT: Final = {
    "checkpoint": "a point that is cut short is run again",
    "name": "the sweep is called what the experiment's name says",
    "out": "the sweep has one directory; --out says where",
    "ray": "they run on the engine local",
    "record": "their files are not kept",
}
#: keys of an experiment that do not change which configurations its points have
_BESIDE: Final = ("measure", "name", "seeds")
_NEEDED: Final[dict[str, Any]] = {"base": "", "axes": {}, "measure": []}
_MANY: Final = 1000  # values of an axis that are looked at although something else is wrong


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


def read_experiment(
    path: Path, look: Callable[[Loaded], None] | None = None, step: Step | None = None
) -> Experiment:
    """Read and check the experiment at ``path``, its base, and every point.

    Args:
        path: the file.
        look: gets the configuration of each point that is sound, in their order; a ConfigError of
            its own says what is wrong with it nevertheless.
        step: is called before each point with how many have been checked, and how many there are.

    Raises:
        ConfigError: with every problem, each at its place in the experiment or in the base.
    """
    keys, document, problems = look_at_keys(ExperimentKeys, path, _NEEDED)
    found: list[Problem] = []
    seeds = read_seeds(keys.seeds, document, found)
    paired = keys.paired if keys.axes else ()  # who has no axes has been told so
    axes = read_axes(keys.axes, paired, max(len(seeds), 1), document, found)
    found += _wrong_measures(keys, document)
    found += _wrong_set(keys, document)
    bad = [dotted(path) for path in document.bad_paths]
    problems += [each for each in found if not any(_below(each.path, place) for place in bad)]
    base = _base_of(keys, path, document, problems)
    if problems:
        bad += [each.path for each in problems]
        raise ConfigError(problems + _further(keys, axes, bad, document, base, look))
    texts = ((document.name, document.text), (base.name, base.text))
    files = tuple((name, sha256(text.encode()).hexdigest()) for name, text in texts)
    points = _points(keys, axes, seeds, document, base, look, step)
    names = tuple(axis.key for axis in axes.axes)
    return Experiment(keys.name, names, bool(seeds), tuple(keys.measure), points, files, texts)


def _base_of(
    keys: ExperimentKeys, path: Path, document: Document, problems: list[Problem]
) -> Document:
    """Return the base, an empty one if it is wrong; what is wrong is added to ``problems``."""
    named = path.parent / keys.base
    if not keys.base:
        return Document(str(named), "", {})
    try:
        return _read_base(named)
    except ConfigError as error:
        wrong = error.problems
    if not any(each.line or each.path for each in wrong):  # it cannot be read
        wrong = [document.problem(("base",), f"{each.file}: {each.what}") for each in wrong]
    problems += wrong
    return Document(str(named), "", {})


def _further(
    keys: ExperimentKeys,
    axes: Axes,
    bad: list[str],
    document: Document,
    base: Document,
    look: Callable[[Loaded], None] | None,
) -> list[Problem]:
    """Return what is wrong with the points of an experiment of which something else is wrong.

    Args:
        axes: none, if something is wrong with any.
        bad: where something is wrong.
    """
    if base.data and axes.axes and all(place.split(".")[0] in _BESIDE for place in bad):
        seeds = () if keys.seeds is None else (0,)
        try:
            _points(keys, axes, seeds, document, base, look, None)
        except ConfigError as error:
            return error.problems
        return []
    sound = {
        name: {
            key: value
            for key, value in values.items()
            if not any(_below(place, f"{name}.{key}") for place in bad)
        }
        for name, values in (("set", keys.set), ("axes", keys.axes))
    }
    lost = {key for key in (*keys.set, *keys.axes) if key not in sound["set"] | sound["axes"]}
    told = _wrong_alone(sound["set"], sound_axes(sound["axes"]), document, base)
    return [each for each in told if each.file == document.name or _of_base(each, lost)]


def _of_base(problem: Problem, lost: Iterable[str]) -> bool:
    """Tell whether a problem of the base is none that a key which is left out may mend."""
    path = problem.path
    return problem.what != "is required" and not any(
        _below(path, key) or _below(key, path) for key in lost
    )


def _wrong_alone(
    given: dict[str, Any], axes: Sequence[Axis], document: Document, base: Document
) -> list[Problem]:
    """Return what is wrong with single values, whatever goes with them."""
    found: dict[str, Problem] = {}
    for turn in range(min(max((len(axis.values) for axis in axes), default=1), _MANY)):
        numbers = tuple(min(turn, len(axis.values) - 1) for axis in axes)
        data, places, _ = _put_all(given, axes, numbers, document, base, {})
        wrong = wrong_values(f"{base.name}.json", json.dumps(data), Path(base.name).parent)
        for problem in (at_home(each, places, document, base) for each in wrong):
            found.setdefault(str(problem), problem)
    return list(found.values())


def _put_all(
    given: dict[str, Any],
    axes: Sequence[Axis],
    numbers: Sequence[int],
    document: Document,
    base: Document,
    found: dict[str, Problem],
) -> tuple[dict[str, Any], dict[str, KeyPath], list[str]]:
    """Return the base with what is set and a value of each axis, where they stand, and labels.

    Args:
        numbers: which value of each axis.
        found: gets what has no place in the base.
    """
    data = deepcopy(base.data)
    places: dict[str, KeyPath] = {}
    labels = []
    for key, value in given.items():
        places[key] = ("set", key)
        _note(put(data, key, deepcopy(value)), ("set", key), document, found)
    for axis, number in zip(axes, numbers, strict=True):
        label, value = axis.values[number]
        places[axis.key] = axis.place(number, label)
        labels.append(label)
        _note(put(data, axis.key, deepcopy(value)), ("axes", axis.key), document, found)
    return data, places, labels


def _points(
    keys: ExperimentKeys,
    axes: Axes,
    seeds: tuple[int, ...],
    document: Document,
    base: Document,
    look: Callable[[Loaded], None] | None,
    step: Step | None,
) -> tuple[Point, ...]:
    """Return every point. Raises ConfigError: what is wrong with the configuration of any."""
    found: dict[str, Problem] = {}
    points: list[Point] = []
    traced = TRACED & set(keys.measure)
    choices = list(axes.choices())
    for numbers in choices:
        unput: dict[str, Problem] = {}
        data, places, labels = _put_all(keys.set, axes.axes, numbers, document, base, unput)
        found |= unput
        for seed in seeds or (None,):
            if step is not None:
                step(len(points), len(choices) * max(len(seeds), 1))
            if seed is not None:
                data["seed"] = seed
            text, folder = json.dumps(data), Path(base.name).parent
            point = Point(len(points), tuple(labels), seed, f"{base.name}.json", text, folder)
            points.append(point)
            wrong: Iterable[Problem]
            try:
                loaded = point.load()
                wrong = list(_no_sweep(loaded, traced))
                if look is not None and not wrong and not unput:
                    look(loaded)
            except ConfigError as error:
                wrong = error.problems
            for problem in (at_home(each, places, document, base) for each in wrong):
                found.setdefault(str(problem), problem)
    if found:
        raise ConfigError(list(found.values()))
    return tuple(points)


def _below(path: str, place: str) -> bool:
    """Tell whether a dotted path is ``place``, or in it."""
    return path == place or path.startswith(f"{place}.")


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
    for name, given in (("set", keys.set), ("axes", keys.axes)):
        for key in given:
            why = _NO_EFFECT.get(key.split(".")[0])
            if why is not None:
                what = f"has no effect on the points of a sweep: {why}"
                yield document.problem((name, key), what, of_key=True)


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
