"""What ``smplab accuracy`` compares, as an experiment: one configuration, schemes × CPUs × seeds.

The axes come from options of the command line and not from a file. So each point is the text of the
configuration with overrides, as ``--set`` has them, and what is wrong with one is told at its
option. A scheme is written ``NAME`` or ``NAME:PARAMETER`` (``barrier:10us``, ``slack:1ms``), where
NAME may be ``FILE.py:CLASS``; which key of ``sync`` the parameter stands for the scheme says
(``cluster.sync.scheme.parameter_of``). ``exact`` runs on the local engine, the others on the one
that is asked for.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

from cluster.config.axes import MAX_POINTS
from cluster.config.errors import ConfigError, Problem, got
from cluster.config.experiment import Experiment, Point
from cluster.config.load import Override, config_text, look_at_config
from cluster.plugins import PluginError, is_file, source_of
from cluster.sync.scheme import SchemeError, parameter_of, scheme_class, scheme_names

REFERENCE: Final = "exact"
AXES: Final = ("machine.cpus", "sync.scheme")
COMPARED: Final = ("virtual", "fork_mean", "queue_mean", "switches", "migrations", "lock_wait")
LATENESS: Final = ("violations", "late_mean", "late_p99", "late_max")
_NUMBER: Final = re.compile(r"(0|[1-9][0-9]*)\Z", re.ASCII)
_NO_TRACE: Final[Override] = ("accuracy", "trace={enabled: false}")  # nothing is measured from it


@dataclass(frozen=True, slots=True)
class _Choice:
    """One value of an axis: how it is called, and what it overrides."""

    label: str
    overrides: tuple[Override, ...] = ()


def read_comparison(
    path: Path,
    schemes: str,
    cpus: str | None,
    seeds: int,
    settings: Sequence[Override],
    engine: str = "local",
) -> Experiment:
    """Return the experiment whose points are to be compared with those of the scheme ``exact``.

    Args:
        path: the configuration.
        schemes: as ``--schemes`` has them; ``exact`` is added in front if it is not among them.
        cpus: as ``--cpus`` has them; None: those of the configuration.
        seeds: how many runs of each, with seeds from the configuration's on.
        settings: overrides of the configuration.
        engine: of all schemes but ``exact``.

    Raises:
        ConfigError: with every problem of options and configuration.
    """
    text = config_text(path)
    base = look_at_config(path, settings)
    if base.problems:
        raise ConfigError(base.problems)
    problems: list[Problem] = []
    machines = [_Choice(str(base.config.machine.cpus))]
    if cpus is not None:
        numbers = _items("--cpus", cpus, problems)
        machines = [
            _Choice(item, ((f"--cpus {item}", f"machine.cpus={item}"),))
            for item in numbers
            if _NUMBER.match(item)
        ]
        problems += [
            Problem(f"--cpus {item}", 0, 0, "", "must be a number")
            for item in numbers
            if not _NUMBER.match(item)
        ]
    items = [item for item in _items("--schemes", schemes, problems) if item != REFERENCE]
    named = [
        choice
        for item in (REFERENCE, *items)
        if (choice := _scheme(item, path.parent, problems)) is not None
    ]
    if len(machines) * len(named) * seeds > MAX_POINTS:
        what = f"must make at most {MAX_POINTS:,} runs with --cpus and --seeds"
        raise ConfigError([*problems, Problem("--schemes", 0, 0, "", what)])
    engines = {REFERENCE: ("accuracy", "engine=local")}
    asked = (f"--engine {engine}", f"engine={engine}")
    choices = product(machines, named, range(base.config.seed, base.config.seed + seeds))
    points = [
        Point(
            index,
            (machine.label, scheme.label),
            seed,
            str(path),
            text,
            path.parent,
            (
                *settings,
                _NO_TRACE,
                engines.get(scheme.label, asked),
                *machine.overrides,
                *scheme.overrides,
                (f"--seeds {seeds}", f"seed={seed}"),
            ),
        )
        for index, (machine, scheme, seed) in enumerate(choices)
    ]
    found = {str(each): each for point in points for each in _problems(point)}
    problems += found.values()
    if problems:
        raise ConfigError(problems)
    return Experiment(base.config.name, AXES, True, (*COMPARED, *LATENESS), tuple(points))


def _items(option: str, text: str, problems: list[Problem]) -> list[str]:
    """Return the parts of a list with commas, each once."""
    items = [item.strip() for item in text.split(",")]
    for number, item in enumerate(items):
        if not item:
            problems.append(Problem(option, 0, 0, "", f"has an empty part {got(text)}"))
        elif item in items[:number]:
            problems.append(Problem(option, 0, 0, "", f"{item} is there twice"))
    return list(dict.fromkeys(item for item in items if item))


def _scheme(item: str, folder: Path, problems: list[Problem]) -> _Choice | None:
    """Return what one of ``--schemes`` means; None: nothing, which is told."""
    name = scheme_name(item)
    parameter = item[len(name) + 1 :]
    flag = f"--schemes {item}"
    try:
        found = scheme_class(name, source_of(name, folder) if is_file(name) else ())
    except (PluginError, SchemeError) as error:
        near = difflib.get_close_matches(name, scheme_names(), 1)
        what = f"{error}; did you mean {near[0]}?" if near else str(error)
        problems.append(Problem(flag, 0, 0, "", what))
        return None
    overrides = [(flag, f"sync.scheme={name}")]
    key = parameter_of(found)
    if name != item and not (key and parameter):
        what = "has an empty parameter" if key else f"the scheme {name} has no parameter"
        problems.append(Problem(flag, 0, 0, "", what))
        return None
    if parameter:
        overrides.append((flag, f"sync.{key}={parameter}"))
    return _Choice(item, tuple(overrides))


def scheme_name(item: str) -> str:
    """Return the name in ``NAME`` or ``NAME:PARAMETER``."""
    name, colon, _ = item.rpartition(":")
    return name if colon and not is_file(item) else item


def _problems(point: Point) -> Iterator[Problem]:
    try:
        point.load()
    except ConfigError as error:
        yield from error.problems


def labels_of(experiment: Experiment, axis: int) -> list[str]:
    """Return the values of an axis, in order."""
    return list(dict.fromkeys(point.labels[axis] for point in experiment.points))
