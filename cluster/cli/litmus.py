"""``smplab litmus``: what memory models allow small concurrent programs."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cluster.exit_codes import FAILED, OK, USAGE, CliError, report

if TYPE_CHECKING:
    from cluster.litmus import Evaluation, Job

_MAX_RUNS: Final = 1_000_000_000


def litmus(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE|FOLDER]...", help="Litmus tests in C, and folders of them."),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", help="sc, tso, pso, arm, weak; or lkmm, the kernel's axioms.")
    ] = "lkmm",
    exhaustive: Annotated[
        bool, typer.Option("--exhaustive", help="Look at all executions; this is the default.")
    ] = False,
    runs: Annotated[
        int, typer.Option("--runs", min=0, max=_MAX_RUNS, help="So many runs by chance instead.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the runs by chance.")] = 1,
    jobs: Annotated[
        int, typer.Option(min=0, max=1024, help="Processes; 0: one for each processor.")
    ] = 0,
    states: Annotated[
        bool, typer.Option("--states", help="All states of each of several tests, too.")
    ] = False,
    shapes: Annotated[
        bool,
        typer.Option("--shapes", help="Write the classic shapes to FOLDER, or print those named."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Decide what litmus tests may end in.

    Files are answered as herd7 does, or litmus7 with --runs. A folder gives a line for each test,
    and what its comment says the result is beside it. With --shapes each argument is a folder for
    the classic shapes, or the name of one, such as MP+wmb+rmb, which is printed.

    Exits 0; 1 if a verdict is not the one in a test's comment; 2 if a file is no litmus test.
    """
    from cluster.litmus import MODELS, Job, evaluate_all, litmus_files

    if not paths and not shapes:
        raise CliError(USAGE, "usage", "litmus: expected a file or a folder (or --shapes)")
    if model not in MODELS:
        raise CliError(USAGE, "usage", f"--model: expected {', '.join(MODELS)}, found {model!r}")
    if runs and model == "lkmm":
        raise CliError(
            USAGE, "usage", "--runs: lkmm is axioms and does not run; name a machine: --model weak"
        )
    if runs and exhaustive:
        raise CliError(USAGE, "usage", "--exhaustive and --runs exclude each other")
    if shapes:
        return _shapes(paths or [])
    files, problems = litmus_files(paths or [])
    table = len(files) > 1 or any(path.is_dir() for path in paths or [])
    whole = states or as_json or not table
    todo = [Job(str(path), model, runs, seed, whole) for path in files]
    found = _progress(evaluate_all(todo, jobs or os.cpu_count() or 1), todo)
    for problem in problems:
        report("usage", problem)
    if as_json:
        bad, different = _as_json(found)
    else:
        bad, different = _as_text(found, table)
    if bad or problems:
        return USAGE
    if different:
        raise CliError(FAILED, "litmus", f"{different} of {len(todo)} verdicts are not as expected")
    return OK


def _progress(found: "Iterator[Evaluation]", todo: "list[Job]") -> "Iterator[Evaluation]":
    """Pass ``found`` on, and say on a terminal how far it is."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    if len(todo) < 2 or not console.is_terminal or sys.stdout.isatty():
        yield from found
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield from progress.track(found, total=len(todo))


def _wrong(one: "Evaluation") -> bool:
    """Report what is wrong with a file; tell whether something is."""
    if one.problem is None:
        return False
    line, column, message = one.problem
    place = f"{one.path}:{line}:{column}" if line else one.path
    report("litmus", f"{place}: {message}")
    return True


def _as_text(found: "Iterator[Evaluation]", table: bool) -> tuple[int, int]:
    from collections import Counter

    from kernel.trace.printable import printable_line

    bad = 0
    counts: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for one in found:
        if _wrong(one):
            bad += 1
            continue
        for line in one.lines:
            print(printable_line(line))
        counts[one.agreement] += 1
        seen[one.observation] += 1
        if table:
            expected = f"Result: {one.expected}" if one.expected else ""
            print(
                printable_line(
                    f"{one.observation:10} {expected:18} {one.agreement:10} {one.name}"
                ).rstrip()
            )
    if table:
        total = sum(seen.values())
        parts = [f"{count} {what}" for what, count in sorted(seen.items())]
        print(f"{total} tests: {', '.join(parts)}")
        agreed = [f"{counts[what]} {what}" for what in ("same", "different", "not shown")]
        print(f"against their comments: {', '.join(agreed)}, {counts['']} not compared")
    return bad, counts["different"]


def _as_json(found: "Iterator[Evaluation]") -> tuple[int, int]:
    bad = different = 0
    rows: list[dict[str, Any]] = []
    for one in found:
        if _wrong(one):
            bad += 1
            line, column, message = one.problem or (0, 0, "")
            rows.append({"file": one.path, "error": message, "line": line, "column": column})
            continue
        different += one.agreement == "different"
        rows.append(
            {
                "file": one.path,
                "name": one.name,
                "model": one.model,
                "observation": one.observation,
                "expected": one.expected or None,
                "agreement": one.agreement or None,
                **one.data,
            }
        )
    print(json.dumps(rows, indent=2))
    return bad, different


def _shapes(arguments: list[Path]) -> int:
    from workloads.litmus.shapes import make_shape, variant_names

    if not arguments:
        for name in variant_names():
            print(name)
        return OK
    for argument in arguments:
        if "+" in argument.name and not argument.exists():
            try:
                print(make_shape(str(argument)), end="")
            except ValueError as error:
                raise CliError(USAGE, "usage", f"--shapes: {error}") from None
            continue
        try:
            argument.mkdir(parents=True, exist_ok=True)
            for name in variant_names():
                (argument / f"{name}.litmus").write_text(make_shape(name), encoding="utf-8")
        except OSError as error:
            raise CliError(USAGE, "usage", f"--shapes: {argument}: {error.strerror}") from None
        print(f"{len(variant_names())} tests in {argument}")
    return OK


def register(app: typer.Typer) -> None:
    """Add the command ``litmus`` to ``app``."""
    app.command("litmus")(litmus)
