"""Outcomes of one configuration: how often each comes, and whether ``exact`` can have it, too.

An *outcome* is what programs show of a run: what they wrote, how they ended, and how the run did.
Runs whose CPUs run free (schemes ``lax`` and ``slack``) differ in the order in which the kernel
served what they asked for. Each such order must be one that a machine can have. Which those are the
scheme ``exact`` says: at granularity ``step`` with random tie-breaks every run of it is an order in
which nothing ever comes late. So each outcome of a free run must be among those of ``exact``.

That set is a sample, so an outcome that is not in it is looked for: further seeds of ``exact`` are
tried, up to a limit, before the outcome counts as *outside*.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cluster import engine_api
from cluster.engine_api import RunRequest, RunResult
from cluster.local_engine import run_local
from kernel.trace.printable import printable

if TYPE_CHECKING:
    from cluster.config.load import Override

_MOST_TEXT: Final = 200  # characters of an outcome
REFERENCE: "Final[tuple[Override, ...]]" = (
    ("the reference", "granularity=step"),
    ("the reference", "sync.scheme=exact"),
    ("the reference", "sync.slack=null"),
    ("the reference", "sync.tie_break=random"),
    ("the reference", "engine=local"),
)


@dataclass(slots=True)
class Seen:
    """One outcome: how many free runs had it, the first of them, and runs of ``exact``."""

    free: int = 0
    first_seed: int = 0
    directory: str = ""
    exact: int = 0


@dataclass(slots=True)
class Outcomes:
    """All outcomes, by their text, in the order in which they were first seen."""

    seen: dict[str, Seen] = field(default_factory=dict)
    free_runs: int = 0
    exact_runs: int = 0

    def of(self, text: str) -> Seen:
        """Return what is known of an outcome."""
        return self.seen.setdefault(text, Seen())

    def outside(self) -> list[str]:
        """Return the outcomes of free runs that ``exact`` has not shown."""
        return [text for text, seen in self.seen.items() if seen.free and not seen.exact]


class RunFailed(Exception):
    """A run ended in a way that says nothing of races: the emulator's fault, or Ctrl-C."""

    def __init__(self, result: RunResult, directory: Path | None) -> None:
        super().__init__(result.message)
        self.result = result
        self.directory = directory


def outcome_of(result: RunResult) -> str:
    """Return what a run shows, as one line."""
    parts: list[str] = []
    if result.exit_kind != engine_api.DONE:
        parts.append(f"{result.exit_kind}: {printable(result.message)}")
    alone = len(result.outputs) == 1
    for name, data in sorted(result.outputs.items()):
        text = " / ".join(printable(line) for line in data.decode("utf-8", "replace").splitlines())
        parts.append(text if alone else f"{name}: {text}")
    for label, _pid, status in result.statuses:
        if status:
            parts.append(f"{printable(label)}: status {status}")
        elif status is None:
            parts.append(f"{printable(label)}: never ended")
    text = "; ".join(parts) or "nothing is written"
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"


Make = Callable[[int], tuple[RunResult, Path | None]]


def free_runs(found: Outcomes, make: Make, seeds: Sequence[int]) -> Iterator[tuple[int, bool]]:
    """Make free runs, and note their outcomes.

    Args:
        found: gets them.
        make: makes the run of a seed, and returns its directory, if it has one.
        seeds: of the runs.

    Yields:
        After each run how many have been made, and whether its outcome is a new one.

    Raises:
        RunFailed: a run broke, or was interrupted.
    """
    for made, seed in enumerate(seeds, 1):
        result, directory = make(seed)
        _check(result, directory)
        seen = found.of(outcome_of(result))
        found.free_runs += 1
        new = not seen.free
        if new:
            seen.first_seed = seed
            seen.directory = "" if directory is None else str(directory)
        seen.free += 1
        yield made, new


def exact_runs(
    found: Outcomes, make: Callable[[int], RunRequest], first_seed: int, least: int, most: int
) -> Iterator[int]:
    """Make runs of ``exact`` until there are enough of them and nothing is outside, or too many.

    Args:
        found: as ``free_runs`` left it.
        make: returns the request of a seed.
        first_seed: of the runs.
        least, most: how many.

    Yields:
        After each run how many have been made.

    Raises:
        RunFailed: a run broke, or was interrupted.
    """
    while found.exact_runs < least or (found.exact_runs < most and found.outside()):
        result = run_local(make(first_seed + found.exact_runs))
        _check(result, None)
        found.of(outcome_of(result)).exact += 1
        found.exact_runs += 1
        yield found.exact_runs


def _check(result: RunResult, directory: Path | None) -> None:
    if result.exit_kind in (engine_api.BROKEN, engine_api.INTERRUPTED, engine_api.INVARIANT):
        raise RunFailed(result, directory)
