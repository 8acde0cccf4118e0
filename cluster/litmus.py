"""Litmus tests in numbers: each file evaluated under a model, in as many processes as asked for.

The result of a file depends on the file, the model and the options alone; results come in the order
of the files whatever the number of processes.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from workloads.litmus.condition import holds, show_place
from workloads.litmus.errors import LitmusError
from workloads.litmus.machines.explore import MACHINES, explore
from workloads.litmus.oracle import Outcome, StateKey, observe, outcomes
from workloads.litmus.parser import MOST_BYTES, parse_litmus
from workloads.litmus.random_runs import run_at_random
from workloads.litmus.report import herd_lines, litmus_lines, state_text, verdict_of
from workloads.litmus.test import Litmus
from workloads.litmus.traces import TooLarge

ORACLE: Final = "lkmm"
MODELS: Final = (*MACHINES, ORACLE)

# how a verdict stands to the one that the file's comment has
SAME: Final = "same"
DIFFERENT: Final = "different"
FLAG: Final = "Flag"  # a file expects that something is flagged
UNSEEN: Final = "not shown"  # a machine, or chance, has not shown what is possible
NOTHING: Final = ""  # the file says nothing that could be compared


@dataclass(slots=True, frozen=True)
class Job:
    """One file to evaluate. ``runs``: 0 for all executions; ``whole``: all states are wanted."""

    path: str
    model: str
    runs: int = 0
    seed: int = 0
    whole: bool = True


@dataclass(slots=True)
class Evaluation:
    """What was found for one file.

    ``problem``: ``line:col: message`` of a file that cannot be used; ``observation``: ``Never``,
    ``Sometimes``, ``Always``, ``DEADLOCK`` (there is no execution), or ``too large``.
    """

    path: str
    name: str = ""
    model: str = ""
    observation: str = ""
    expected: str = ""
    agreement: str = NOTHING
    problem: tuple[int, int, str] | None = None
    lines: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


def litmus_files(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Return the files that ``paths`` name, folders looked through, and what is wrong with them."""
    files: list[Path] = []
    problems: list[str] = []
    for path in paths:
        if path.is_dir():
            found = sorted(path.rglob("*.litmus"))
            if not found:
                problems.append(f"{path}: expected litmus tests, found no file *.litmus")
            files += found
        else:
            files.append(path)
    return files, problems


def evaluate_all(jobs: list[Job], processes: int) -> Iterator[Evaluation]:
    """Yield the evaluation of each of ``jobs``, in their order."""
    if processes <= 1 or len(jobs) <= 1:
        yield from map(evaluate, jobs)
        return
    with ProcessPoolExecutor(max_workers=min(processes, len(jobs))) as pool:
        yield from pool.map(evaluate, jobs, chunksize=max(1, min(32, len(jobs) // processes // 4)))


def evaluate(job: Job) -> Evaluation:
    """Evaluate one file. Never raises for what is in it."""
    found = Evaluation(job.path, model=job.model)
    try:
        raw = Path(job.path).read_bytes()
        if len(raw) > MOST_BYTES:
            raise LitmusError(f"longer than {MOST_BYTES:,} bytes", 1, 1)
        test = parse_litmus(raw.decode("utf-8", "replace"))
    except LitmusError as error:
        found.problem = (error.line, error.column, error.message)
        return found
    except OSError as error:
        found.problem = (0, 0, error.strerror or str(error))
        return found
    found.name = test.name
    found.expected = "" if test.racy or test.result == "Maybe" else test.result
    try:
        _run(test, job, found)
    except TooLarge:
        found.observation = "too large"
        found.lines = [f"Test {test.name}: more executions than are looked at", ""]
    except RecursionError:
        found.problem = (1, 1, "an expression with too many levels")
    found.agreement = _agreement(found, job)
    return found


def _run(test: Litmus, job: Job, found: Evaluation) -> None:
    if job.model == ORACLE and not job.whole and found.expected != FLAG:
        found.observation = observe(test) or "DEADLOCK"
        return
    if job.runs:
        outcome = run_at_random(test, job.model, job.runs, job.seed)
    elif job.model == ORACLE:
        outcome = outcomes(test)
    else:
        outcome = explore(test, job.model)
    nothing = not outcome.positive and not outcome.negative
    found.observation = "DEADLOCK" if nothing else outcome.observation
    found.flags = tuple(outcome.flags)
    if not job.whole:
        return
    if job.runs:
        found.lines = list(litmus_lines(test, outcome, _wanted(test, outcome)))
    else:
        found.lines = list(herd_lines(test, outcome))
    found.data = {
        "condition": test.condition_text,
        "ok": verdict_of(test, outcome),
        "states": [
            {"state": state_text(outcome, key), "count": outcome.states[key]}
            for key in sorted(outcome.states, key=lambda key: state_text(outcome, key))
        ],
        "positive": outcome.positive,
        "negative": outcome.negative,
        "flags": list(outcome.flags),
    }


def _wanted(test: Litmus, outcome: Outcome) -> set[StateKey]:
    """Return the states of which the condition's formula is true."""
    return {
        key
        for key in outcome.states
        if holds(test.condition, dict(zip(outcome.places, key, strict=True)))
    }


def _agreement(found: Evaluation, job: Job) -> str:
    """Compare with the file's ``Result:``, which is the verdict of the kernel's model.

    A machine may be stronger than that, and chance may miss something; neither may show what the
    model forbids.
    """
    if not found.expected or found.observation == "too large":
        return NOTHING
    if found.expected == FLAG:  # the axioms alone tell of it
        return NOTHING if job.model != ORACLE else SAME if found.flags else DIFFERENT
    if found.observation == found.expected:
        return SAME
    if job.model == ORACLE:
        return DIFFERENT
    if found.expected == "Never":
        return DIFFERENT if found.observation in ("Sometimes", "Always") else SAME
    if found.expected == "Always":
        return DIFFERENT if found.observation == "Never" else SAME
    if found.expected == "DEADLOCK":
        return DIFFERENT
    return UNSEEN


__all__ = ["Evaluation", "Job", "evaluate_all", "litmus_files", "show_place"]
