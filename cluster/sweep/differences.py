"""What ``smplab compare`` compares: runs, sweeps, points of a sweep, as *samples*.

A sample has one or more *cells*, each with the runs of all seeds: a sweep has a cell for each
combination of its axes, a run is a cell of its own. Runs whose configurations differ in nothing but
the seed are one sample. Axes that an argument fixes (``SWEEP:sched.fair=cfs``) do not tell its
cells apart, so they can be compared with those of another value, cell by cell.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cluster.config.measures import said_word, summary_place, wrong_measure
from cluster.report.units import counted
from cluster.rundir import RunDir, RunDirError, run_path
from cluster.sweep.directory import MANIFEST, SweepDir, SweepDirError, sweep_path
from cluster.sweep.intervals import Difference, difference
from cluster.sweep.measure import number_at, of_summary

#: what is compared of runs, whose traces are not read
OF_RUNS: Final = (
    *("virtual", "switches", "migrations", "lock_wait", "violations"),
    "summary.latency_ns.fork_to_first_run.p99",
    "summary.latency_ns.runqueue_wait.p99",
    "summary.memory.cow_copied",
)

NO_RESULT: Final = "no point has a result"

Cell = dict[int, dict[str, int]]  # seed -> measure -> value


class CompareError(Exception):
    """What was named cannot be compared; the message says why, in one line."""


@dataclass(slots=True)
class Sample:
    """One side of a comparison.

    Attributes:
        axes: that tell its cells apart.
        cells: by the labels of these axes.
        failed: points that have no result, or no measures.
    """

    name: str
    axes: tuple[str, ...]
    measures: tuple[str, ...]
    cells: dict[tuple[str, ...], Cell] = field(default_factory=dict)
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of one cell, compared; the first sample is A, another is B."""

    b: str
    labels: tuple[str, ...]
    measure: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences of samples from the first one."""

    samples: tuple[Sample, ...]
    measures: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def read_samples(arguments: Sequence[str], by: str | None, measures: Sequence[str]) -> list[Sample]:
    """Return the samples that a command line names.

    Args:
        arguments: runs, sweeps, and sweeps with some axes fixed.
        by: an axis of the one sweep that is named: its values are compared.
        measures: that are asked for; () for all there are.

    Raises:
        CompareError, RunDirError, SweepDirError: one of them cannot be used.
    """
    samples: list[Sample] = []
    of_config: dict[str, Sample] = {}
    for argument in arguments:
        path, fixed = _parsed(argument)
        if (path / MANIFEST).is_file():
            directory = SweepDir.open(path)
            if by is None:
                samples.append(_of_sweep(directory, argument, fixed))
            else:
                samples += _by_axis(directory, fixed, by)
        elif fixed:
            raise CompareError(f"{argument}: only a sweep has axes")
        elif by is not None:
            raise CompareError(f"--by: {argument} is no sweep")
        else:
            _add_run(RunDir.open(path), argument, tuple(measures) or OF_RUNS, samples, of_config)
    if len(samples) < 2:
        raise CompareError(
            "there is nothing to compare: name two runs or sweeps, or --by an axis of one sweep "
            "(runs that differ in their seed alone are one sample)"
        )
    return samples


def sweep_sample(argument: str) -> tuple[SweepDir, Sample]:
    """Return the sweep that a command line names, and its points: those that it asks for.

    Args:
        argument: as in ``read_samples``.

    Raises:
        CompareError, SweepDirError: it is no sweep, is damaged, or has no such axis or value.
    """
    path, fixed = _parsed(argument)
    directory = SweepDir.open(path)
    return directory, _of_sweep(directory, argument, fixed)


def is_sweep(argument: str) -> bool:
    """Tell whether a command line names a sweep, or some points of one.

    Raises:
        CompareError: what stands after the colon is no axis with a value.
    """
    return (_parsed(argument)[0] / MANIFEST).is_file()


def compare(samples: Sequence[Sample], measures: Sequence[str]) -> Comparison:
    """Compare every sample with the first one.

    Args:
        samples: two at least.
        measures: that are asked for; () for all that they have in common.

    Raises:
        CompareError: they have not the same axes, a measure is not there, or no point has a result.
    """
    first, *others = samples
    for other in others:
        if other.axes != first.axes:
            raise CompareError(
                f"{first.name} and {other.name} have not the same axes: "
                f"{', '.join(first.axes) or 'none'} and {', '.join(other.axes) or 'none'}"
            )
    common = tuple(name for name in first.measures if all(name in each.measures for each in others))
    missing = [name for name in measures if name not in common]
    if missing or not common:
        there = ", ".join(common) or "nothing in common"
        raise CompareError(f"--measure: {', '.join(missing) or 'none'} (there is: {there})")
    taken = tuple(measures) or common
    rows, notes = [], []
    for other in others:
        shared = [labels for labels in first.cells if labels in other.cells]
        alone = len(first.cells) + len(other.cells) - 2 * len(shared)
        if alone:
            are = f"{counted(alone, 'point')} {'is' if alone == 1 else 'are'}"
            notes.append(f"{are} in one of {first.name} and {other.name} only")
        for labels in shared:
            for measure in taken:
                a, b = (_values(each.cells[labels], measure) for each in (first, other))
                if a and b:
                    rows.append(Row(other.name, labels, measure, difference(a, b)))
    notes += [f"{each.name}: {without_result(each.failed)}" for each in samples if each.failed]
    if not rows:
        raise CompareError(_nothing(samples, taken))
    return Comparison(tuple(samples), taken, tuple(rows), tuple(dict.fromkeys(notes)))


def without_result(points: int) -> str:
    """Say that so many points have no result."""
    return f"{counted(points, 'point')} {'has' if points == 1 else 'have'} no result"


def _nothing(samples: Sequence[Sample], measures: Sequence[str]) -> str:
    """Say why there is no difference to tell."""
    empty = dict.fromkeys(each.name for each in samples if not each.cells)
    if empty:
        return f"{', '.join(empty)}: {NO_RESULT}"
    return f"there is nothing to compare: no point of both sides has {', '.join(measures)}"


def _values(cell: Cell, measure: str) -> dict[int, int]:
    return {seed: found[measure] for seed, found in cell.items() if measure in found}


def _parsed(argument: str) -> tuple[Path, dict[str, str]]:
    """Return the directory that an argument names, and the axes that it fixes."""
    place = argument.find(":")
    while place >= 0 and not Path(argument).exists():
        path = _newest(Path(argument[:place]))
        if path.is_dir():
            return path, _fixed(argument, argument[place + 1 :])
        place = argument.find(":", place + 1)
    return _newest(Path(argument)), {}


def _newest(path: Path) -> Path:
    """Return what a path means: as it is, or of ``latest`` the newest run or sweep."""
    found = []
    for find in (run_path, sweep_path):
        with suppress(RunDirError, SweepDirError):
            found.append(find(path))
    return max(found, key=lambda each: (each.name[:15], each.name), default=path)


def _fixed(argument: str, text: str) -> dict[str, str]:
    fixed = {}
    for part in text.split(","):
        key, equals, label = part.partition("=")
        if not key or not equals:
            raise CompareError(f"{argument}: expected AXIS=VALUE after the colon, found {part!r}")
        fixed[key] = label
    return fixed


def _of_sweep(directory: SweepDir, name: str, fixed: Mapping[str, str]) -> Sample:
    manifest = directory.manifest
    axes: list[str] = manifest["axes"]
    wrong = _wrong_fixed(directory, name, fixed)
    if wrong:
        raise CompareError("\n".join(wrong))
    free = [place for place, key in enumerate(axes) if key not in fixed]
    sample = Sample(name, tuple(axes[place] for place in free), tuple(manifest["measure"]))
    results = directory.results()
    for index, labels in enumerate(manifest["labels"]):
        if any(labels[axes.index(key)] != label for key, label in fixed.items()):
            continue
        result = results.get(index)
        if result is None or result["error"]:
            sample.failed += 1
            continue
        cell = sample.cells.setdefault(tuple(labels[place] for place in free), {})
        measured = {key: value for key, value in result["measures"].items() if value is not None}
        cell[result["seed"]] = measured
    return sample


def _wrong_fixed(directory: SweepDir, name: str, fixed: Mapping[str, str]) -> list[str]:
    """Return a line for each axis that is fixed and is none, or has no such value."""
    axes, wrong = directory.manifest["axes"], []
    for key, label in fixed.items():
        if key not in axes:
            wrong.append(f"{name}: no axis {key} (there is: {', '.join(axes)})")
            continue
        known = _labels(directory, key)
        if label not in known:
            wrong.append(f"{name}: {key} has no value {label} (there is: {', '.join(known)})")
    return wrong


def _labels(directory: SweepDir, axis: str) -> list[str]:
    place = directory.manifest["axes"].index(axis)
    return list(dict.fromkeys(labels[place] for labels in directory.manifest["labels"]))


def _by_axis(directory: SweepDir, fixed: Mapping[str, str], by: str) -> list[Sample]:
    axes = directory.manifest["axes"]
    if by not in axes or by in fixed:
        raise CompareError(f"--by: no axis {by} that is free (there is: {', '.join(axes)})")
    samples = [
        _of_sweep(directory, f"{by}={label}", {**fixed, by: label})
        for label in _labels(directory, by)
    ]
    if len(samples) < 2:
        raise CompareError(f"--by: {by} has one value: there is nothing to compare")
    return samples


def _add_run(
    directory: RunDir,
    name: str,
    measures: tuple[str, ...],
    samples: list[Sample],
    of_config: dict[str, Sample],
) -> None:
    """Add a run to the sample of those that differ from it in the seed alone, or to a new one."""
    manifest, summary = directory.manifest(), directory.summary()
    config = {key: value for key, value in manifest["config"].items() if key not in ("seed", "out")}
    key = json.dumps(config, sort_keys=True)
    sample = of_config.get(key)
    if sample is None:
        sample = of_config[key] = Sample(name, (), measures, {(): {}})
        samples.append(sample)
    found: dict[str, Any] = of_summary(summary)
    for measure in measures:
        place = summary_place(measure)
        if place is not None and not wrong_measure(measure):
            found[measure] = number_at(summary, place)
        elif said_word(measure) or measure not in found:
            what = f"--measure: {measure} is none of a run's summary (summary.PATH has its numbers)"
            raise CompareError(what)
    sample.cells[()][manifest["seed"]] = {
        each: found[each] for each in measures if found[each] is not None
    }


def check_directories(arguments: Sequence[str]) -> None:
    """See to it that everything named is there, with the axes and values that are named of it.

    Raises:
        CompareError: something is not; all of it is told.
    """
    problems: list[str] = []
    for argument in arguments:
        try:
            path, fixed = _parsed(argument)
            if (path / MANIFEST).is_file():
                problems += _wrong_fixed(SweepDir.open(path), argument, fixed)
            else:
                RunDir.open(path)
        except (RunDirError, SweepDirError, CompareError) as error:
            problems.append(str(error))
    if problems:
        raise CompareError("\n".join(problems))
