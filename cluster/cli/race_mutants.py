"""``smplab race mutants``: all mutations there are, and what exploring shows of shipped ones."""

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.cli.race_points import pure_core
from cluster.cli.race_workers import Engine, Jobs, end_of, workers
from cluster.exit_codes import BUG_FOUND, INCOMPLETE, OK, USAGE, CliError

if TYPE_CHECKING:
    from cluster.race.mutants import Case, Row


def mutants(
    listed: Annotated[
        bool, typer.Option("--list", help="List all points and the mutations that each admits.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="ID", help="This scenario, or mutation; repeat."),
    ] = None,
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
    ] = 200,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.001, help="For each of these, at most so long.")
    ] = 60.0,
    jobs: Jobs = 1,
    engine: Engine = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Explore the shipped scenarios, each under the memory models of which it has a verdict.

    A row has the first bug, how often runs fail, and that the kernel without the mutation is clean.

    Exits 0 if all verdicts are as expected; 1 if one is not; 4 if the time was up before.
    """
    pure_core()
    if listed:
        _print_list(as_json)
        return OK
    from cluster.race.mutants import Budget, plain_row, put_table, row_of, table, told
    from cluster.race.watch import following

    if into is not None and not into.is_file():
        raise CliError(USAGE, "usage", f"--into: {into}: no such file")
    chosen = _chosen(only or [])
    rows: list[Row] = []
    who = workers(jobs, engine)
    with following():
        for case in chosen:
            row = row_of(case, Budget(runs, more, seconds), who)
            rows.append(row)
            if row.cut is not None:
                end_of(row.cut, None)
            if not as_json and not as_table:
                print(told(row), flush=True)
    if into is not None:
        try:
            into.write_text(put_table(into.read_text("utf-8"), rows), "utf-8")
        except (OSError, ValueError) as error:
            raise CliError(USAGE, "usage", f"--into: {into}: {error}") from None
    if as_json:
        print(json.dumps([plain_row(row) for row in rows], indent=2))
    elif as_table:
        for line in table(rows):
            print(line)
    wrong = [row for row in rows if not row.as_expected]
    if not wrong:
        return OK
    return BUG_FOUND if any(row.finished or row.broken for row in wrong) else INCOMPLETE


def _chosen(only: list[str]) -> "list[Case]":
    """Return the cases that are meant.

    Raises:
        CliError: a name stands for none.
    """
    from cluster.race.mutants import cases

    every = list(cases())
    if not only:
        return every
    names = {
        name: None for case in every for name in (case.name, *case.loaded.scenario.spec.mutations)
    }
    for wanted in only:
        if wanted not in names:
            near = difflib.get_close_matches(wanted, list(names), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            what = f"--only: no shipped scenario, and no mutation of one, is called {wanted!r}"
            raise CliError(USAGE, "usage", what + hint)
    return [
        case
        for case in every
        if case.name in only or any(one in only for one in case.loaded.scenario.spec.mutations)
    ]


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
        if point.note:
            print(f"  {'':<{width}}  cannot matter: {point.note}")
