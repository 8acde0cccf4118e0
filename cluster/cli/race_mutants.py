"""``smplab race mutants``: all mutations there are, and what exploring shows of shipped ones."""

import difflib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import fast_core
from cluster.cli.race_hunt import exit_code, hunts, why_none
from cluster.cli.race_points import pure_core
from cluster.cli.race_workers import LOST, Engine, Jobs, end_of, workers
from cluster.cli.writing import check_writable, refuse, write
from cluster.exit_codes import BROKEN, BUG_FOUND, INCOMPLETE, OK, USAGE, CliError

if TYPE_CHECKING:
    from cluster.race.mutants import Budget, Case, Row
    from cluster.race.workers import Workers

_MORE = 200  # runs


def mutants(
    listed: Annotated[
        bool, typer.Option("--list", help="List all points and the mutations that each admits.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="ID", help="This scenario, or any mutation; repeat."),
    ] = None,
    own_model: Annotated[
        bool, typer.Option("--own-model", help="Each only under the model it is about.")
    ] = False,
    as_table: Annotated[
        bool, typer.Option("--table", help="Print the table in Markdown, as docs/races.md has it.")
    ] = False,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="FILE", help="Put the table between its marks in FILE."),
    ] = None,
    runs: Annotated[
        int | None,
        typer.Option("--runs", min=1, help="Until the first bug; else as the scenario says."),
    ] = None,
    more: Annotated[
        int,
        typer.Option("--more", min=1, help="Runs for the hit rate, and without the mutation."),
    ] = _MORE,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.001, help="For each of these, at most so long.")
    ] = 60.0,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="FILE", help="Rows are kept here, and taken from here."),
    ] = None,
    jobs: Jobs = 1,
    engine: Engine = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Explore the shipped scenarios, each under the memory models of which it has a verdict.

    --own-model leaves out all but one of these. --only with a mutation that is in no scenario
    looks for it in every program that comes to its function, and ends with the first run that
    shows it. That is about no scenario: of the other options it takes --runs, --seconds, --json.

    A row has the first bug, how often runs fail, and that the kernel without the mutation is clean.
    Ctrl-C ends it with the rows that there are; with --keep the same command goes on from them.

    Exits 0 if all verdicts are as expected; 1 if one is not; 4 if the time was up before.
    """
    pure_core()
    if listed:
        _print_list(as_json)
        return OK
    from cluster.race.mutants import Budget

    if into is not None:
        _check_into(into)
    chosen, others = _chosen(only or [], own_model)
    _check_hunts(others, own_model, as_table, into, more, keep, jobs, engine)
    rows: list[Row] = []
    ended: BaseException | None = None
    told = not as_json and not as_table
    try:
        _make(chosen, Budget(runs, more, seconds), workers(jobs, engine), keep, rows, told=told)
    except (KeyboardInterrupt, CliError) as error:
        if not rows:
            raise
        ended = error
    unwritten = "" if into is None or ended is not None else _put(into, rows)
    hunted = hunts(others, runs, seconds, told=not as_json) if others and ended is None else []
    _print_rows(rows, [plain for _, plain in hunted], as_json=as_json, as_table=as_table)
    refuse(unwritten)
    if ended is not None:
        sys.stdout.flush()
        raise ended
    wrong = [row for row in rows if not row.as_expected]
    if not wrong:
        return exit_code([done for done, _ in hunted])
    return BUG_FOUND if any(row.finished or row.broken for row in wrong) else INCOMPLETE


def _check_hunts(
    others: list[str],
    own_model: bool,
    as_table: bool,
    into: Path | None,
    more: int,
    keep: Path | None,
    jobs: int,
    engine: str,
) -> None:
    """See to it that nothing is asked for that hunts do not do: one process makes them.

    Args:
        others: the mutations that are to be looked for.

    Raises:
        CliError: it is.
    """
    given = {
        "--own-model": own_model,
        "--table": as_table,
        "--into": into is not None,
        "--more": more != _MORE,
        "--keep": keep is not None,
        "--jobs": jobs != 1,
        "--engine": engine != "local",
    }
    wrong = ", ".join(option for option, is_given in given.items() if is_given)
    if others and wrong:
        why = f"about scenarios only, and {others[0]!r} is in none: it is looked for in all"
        raise CliError(USAGE, "usage", f"{wrong}: {why}")


def _print_rows(
    rows: "list[Row]", hunted: list[dict[str, Any]], *, as_json: bool, as_table: bool
) -> None:
    from cluster.race.mutants import plain_row, table

    if as_json:
        print(json.dumps([*map(plain_row, rows), *hunted], indent=2))
    elif as_table:
        for line in table(rows):
            print(line)


def _put(into: Path, rows: "list[Row]") -> str:
    """Put the table of ``rows`` where it belongs; return what is wrong, or an empty string."""
    from cluster.race.mutants import put_table

    try:
        return write("into", into, put_table(into.read_text("utf-8"), rows))
    except (OSError, ValueError) as error:
        return f"--into: {into}: {error}"


def _check_into(into: Path) -> None:
    """See to it that the table can be put there.

    Raises:
        CliError: it cannot.
    """
    from cluster.race.mutants import put_table

    if not into.is_file():
        raise CliError(USAGE, "usage", f"--into: {into}: no such file")
    try:
        put_table(into.read_text("utf-8"), [])
    except (OSError, ValueError) as error:
        raise CliError(USAGE, "usage", f"--into: {into}: {error}") from None
    check_writable(into=into)


def _make(
    chosen: "list[Case]",
    budget: "Budget",
    who: "Workers",
    keep: Path | None,
    rows: "list[Row]",
    *,
    told: bool,
) -> None:
    """Add the rows of the chosen cases to ``rows``, those that are kept and those that are made.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM ended it.
        CliError: workers were lost, or the file is none.
    """
    from cluster.race.mutants import row_kept, row_of, rows_kept
    from cluster.race.mutants import told as line_of
    from cluster.race.watch import following

    code = fast_core.key()
    kept: dict[tuple[str, str], Row] = {}
    if keep is not None:
        try:
            if keep.exists():
                text = keep.read_text("utf-8")
                kept = rows_kept(text.splitlines(keepends=True), budget, code)
                if text and not text.endswith("\n"):
                    keep.write_text(text[: text.rfind("\n") + 1], "utf-8")
            else:
                keep.touch()
        except (OSError, ValueError, RecursionError) as error:
            raise CliError(USAGE, "usage", f"--keep: {keep}: {error}") from None
    with following(), _progress(len(chosen)) as progress, _kept(who, chosen):
        for number, case in enumerate(chosen):
            row = kept.get((case.name, case.model))
            if row is None:
                row = row_of(case, budget, who, partial(progress, number, case))
                if row.cut is not None:
                    end_of(row.cut, None)
                if keep is not None and row.finished:
                    with keep.open("a", encoding="utf-8") as file:
                        file.write(row_kept(row, budget, code) + "\n")
            rows.append(row)
            if told:
                print(line_of(row), flush=True)


@contextmanager
def _kept(who: "Workers", chosen: "list[Case]") -> "Iterator[None]":
    """Keep the workers for all cases.

    Raises:
        CliError: there is no Ray.
    """
    from cluster.race.workers import WorkerLost

    try:
        with who.kept() if chosen else nullcontext():
            yield
    except WorkerLost as error:
        raise CliError(BROKEN, LOST, str(error)) from None


@contextmanager
def _progress(count: int) -> "Iterator[Callable[[int, Case, str, int], None]]":
    """Yield what shows on a terminal which case is made, and how many runs of it there are."""
    if not sys.stderr.isatty():
        yield lambda _number, _case, _what, _runs: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    told = TextColumn("{task.fields[told]}")
    with Progress(*columns, told, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=count, told="")

        def show(number: int, case: "Case", what: str, runs: int) -> None:
            line = f"{case.name} ({case.model}), {what}: {runs:,} runs"
            progress.update(task, completed=number, told=line)

        yield show


def _chosen(only: list[str], own_model: bool) -> "tuple[list[Case], list[str]]":
    """Return the cases that are meant, and the mutations that are in none.

    Args:
        only: scenarios and mutations; none: all scenarios.
        own_model: each under the model it is about, and not under the others.

    Raises:
        CliError: a name stands for nothing.
    """
    from cluster.mutations.source import kinds_by_text
    from cluster.race.mutants import cases

    every = [case for case in cases() if case.own or not own_model]
    if not only:
        return every, []
    names = {
        name: None for case in every for name in (case.name, *case.loaded.scenario.spec.mutations)
    }
    others = [wanted for wanted in dict.fromkeys(only) if wanted not in names]
    for wanted in others:
        why = why_none(wanted)
        if not why:
            continue
        if "there is no point" in why and ":" not in wanted:
            near = difflib.get_close_matches(wanted, [*names, *kinds_by_text()], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            why = f"no shipped scenario, and no point of the kernel, is called so{hint}"
        raise CliError(USAGE, "usage", f"--only: {wanted!r}: {why}")
    chosen = [
        case
        for case in every
        if case.name in only or any(one in only for one in case.loaded.scenario.spec.mutations)
    ]
    return chosen, others


def _print_list(as_json: bool) -> None:
    from cluster.race.mutants import mutables, plain_point

    found = mutables()
    if as_json:
        print(json.dumps([plain_point(point) for point in found], indent=2))
        return
    width = max(len(point.name) for point in found)
    print(f"{len(found)} points; move and swap go with the points of the same function, and calls:")
    for point in found:
        first = ", ".join(one for one in point.admits if one not in ("move", "swap"))
        line = f"  {point.name:<{width}}  {point.kind:<13}  {point.place:<34}  {first}"
        print(line.rstrip())
        for text, why in point.idle:
            print(f"  {'':<{width}}  {text} cannot matter: {why}")
