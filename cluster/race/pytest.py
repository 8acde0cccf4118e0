"""Scenarios of races as tests: ``@race(scenario=…, runs=…, model=…)``.

::

    from cluster.race.pytest import race

    @race(scenario="wakeup.yaml", runs=500, model="tso")
    def test_nobody_sleeps_for_ever():
        pass

The test makes the runs, in a process of its own, and fails if one of them does; it then says what
is wrong, and prints the replay string and the one command that makes the run again. What is in the
function comes after that, with the fixtures that it asks for.
"""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import join
from typing import Any, Final, ParamSpec, TypeVar

import pytest

from cluster import fast_core
from cluster.exit_codes import BUG_FOUND, INCOMPLETE, OK

CLEAN: Final = "clean"
FOUND: Final = "found"

_COMMAND: Final = (sys.executable, "-c", "from cluster.entry import main; main()")

_P = ParamSpec("_P")
_R = TypeVar("_R")


def race(
    scenario: str | os.PathLike[str],
    *,
    runs: int | None = None,
    model: str | None = None,
    cpus: int | None = None,
    strategy: str | None = None,
    seed: int | None = None,
    time: float | None = None,
    jobs: int | None = None,
    mutations: Sequence[str] | None = None,
    prove: bool = False,
    expect: str = CLEAN,
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return what makes a test of a function.

    Args:
        scenario: ``FILE.yaml`` or ``FILE.py``, from the folder of the test's file, or the name of a
            shipped scenario.
        runs: how many; of ``prove``, at most.
        model, cpus, mutations: in place of the scenario's; no mutations at all: ``()``.
        strategy, seed, jobs: see ``smplab race run``.
        time: seconds of the host after which no further run begins.
        prove: make a run for each order of steps that can matter, and fail if there are too many.
        expect: ``clean``, or ``found`` if the test is that the bug is found.

    Raises:
        ValueError: what cannot be asked for together.
    """
    if expect not in (CLEAN, FOUND):
        raise ValueError(f"expect: {CLEAN!r} or {FOUND!r} (got {expect!r})")
    if prove and any(value is not None for value in (strategy, seed, time, jobs)):
        raise ValueError("prove takes no strategy, seed, time or jobs")
    given = {
        "--most" if prove else "--runs": runs,
        "--model": model,
        "--cpus": cpus,
        "--strategy": strategy,
        "--seed": seed,
        "--time": time,
        "--jobs": jobs,
    }
    options = [word for name, value in given.items() if value is not None for word in (name, value)]
    options += [word for name in mutations or () for word in ("--mutate", name)]
    if mutations is not None and not mutations:
        options.append("--unmutated")
    words = ["prove" if prove else "run", *(str(word) for word in options)]

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        folder = Path(function.__code__.co_filename).parent

        @functools.wraps(function)
        def test(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            __tracebackhide__ = True
            problem = _problem(words, _shown(folder, Path(scenario)), expect)
            if problem:
                pytest.fail(problem, pytrace=False)
            return function(*args, **kwargs)

        return test

    return decorate


def _shown(folder: Path, scenario: Path) -> str:
    """Return the scenario as a command line here names it."""
    path = folder / scenario
    if not path.exists():
        return str(scenario)  # a name, or the command says that there is none
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _problem(words: list[str], scenario: str, expect: str) -> str:
    """Make the runs; return why the test fails, or an empty string."""
    command = ["race", words[0], scenario, *words[1:]]
    done = subprocess.run(
        [*_COMMAND, *command, "--json"],
        env={**os.environ, fast_core.VARIABLE: "pure"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    asked = join(["smplab", *command])
    if done.returncode not in (OK, BUG_FOUND, INCOMPLETE):
        return f"{asked}\n{done.stderr.strip()}"
    data: dict[str, Any] = json.loads(done.stdout)
    made = f"{data['traces']} traces" if "traces" in data else f"{data['runs']} runs"
    if done.returncode == INCOMPLETE:
        return f"{asked}: the budget ended after {made}, and nothing is certain"
    bug = data["bug"]
    if bug is None:
        return "" if expect == CLEAN else f"{asked}: a bug was expected, and {made} are clean"
    if expect == FOUND:
        return ""
    lines = [
        f"{data['scenario']}: {bug['kind']} after {made}, {bug['steps']} steps",
        *(f"  {line}" for line in bug["report"].splitlines()),
        f"replay string: {bug['replay']}",
        f"again: {bug['command']}",
    ]
    return "\n".join(lines)
