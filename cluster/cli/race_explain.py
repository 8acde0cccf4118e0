"""``smplab race shrink`` and ``race explain``: a failing run made small, and made clear."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.cli import race as commands
from cluster.cli.race_files import code_hash, divergence_told, record_for
from cluster.cli.race_prove import prove
from cluster.cli.writing import check_writable, refuse, write
from cluster.exit_codes import DIVERGED, OK, USAGE, CliError
from cluster.report.units import counted

if TYPE_CHECKING:
    from cluster.race.again import Record
    from cluster.race.run import Run, Scenario
    from cluster.race.scenario import ScenarioFile
    from cluster.race.shrink import Shrunk

_What = Annotated[
    str, typer.Argument(metavar="STRING|FILE", help="A replay string, or a file of --save.")
]


def shrink_command(
    what: _What,
    path: commands._Scenario,
    arguments: Annotated[
        bool, typer.Option("--arguments", help="Make numbers in the program's arguments smaller.")
    ] = False,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Write the record of the run.")
    ] = None,
    cpus: commands._Cpus = None,
    model: commands._Model = None,
    mutate: commands._Mutate = None,
    unmutated: commands._Unmutated = False,
    as_json: commands._Json = False,
) -> int:
    """Make a failing run as short as it can be: the same bug with few context switches.

    Exits 0; 2 if the run is clean or of another scenario; 3 if it goes another way.
    """
    loaded = commands._load(path, cpus, model, mutate, unmutated)
    check_writable(save=save)
    from cluster.race.again import record_of
    from cluster.race.shrink import shrink
    from cluster.race.watch import following

    with following():
        run = _failing(what, loaded)
        shrunk = shrink(loaded.scenario, run, arguments=arguments)
        record = record_of(shrunk.scenario, shrunk.run, code_hash())
    unwritten = "" if save is None else write("save", save, record.as_json())
    fewer = shrunk.scenario.spec.cpus
    machine = fewer if fewer != loaded.scenario.spec.cpus else cpus
    options = commands._options(machine, model, mutate, unmutated)
    shown = record.text if save is None or unwritten else commands._quoted(str(save))
    words = ["smplab race replay", shown, commands._quoted(str(path)), *options]
    other = shrunk.scenario.spec.spawns != loaded.scenario.spec.spawns
    _print_shrunk(shrunk, record, None if other else " ".join(words), as_json)
    refuse(unwritten)
    return OK


def explain_command(
    what: _What,
    path: commands._Scenario,
    shrink_first: Annotated[
        bool, typer.Option("--shrink", help="Make the run short first, as race shrink does.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page.")
    ] = None,
    perfetto: Annotated[
        Path | None, typer.Option("--perfetto", metavar="FILE", help="Write a trace for Perfetto.")
    ] = None,
    cpus: commands._Cpus = None,
    model: commands._Model = None,
    mutate: commands._Mutate = None,
    unmutated: commands._Unmutated = False,
    as_json: commands._Json = False,
) -> int:
    """Tell why a run fails: the steps of each CPU, the two that conflict, the order to turn round.

    Exits 0; 2 if the run is clean or of another scenario; 3 if it goes another way.
    """
    loaded = commands._load(path, cpus, model, mutate, unmutated)
    check_writable(html=html, perfetto=perfetto)
    from cluster.race.explain import explain
    from cluster.race.explain_data import as_data, as_trace
    from cluster.race.explain_html import as_html
    from cluster.race.explain_text import as_text
    from cluster.race.shrink import shrink
    from cluster.race.watch import following

    with following():
        run = _failing(what, loaded)
        scenario: Scenario = loaded.scenario
        if shrink_first:
            shrunk = shrink(scenario, run, arguments=False)
            scenario, run = shrunk.scenario, shrunk.run
        told = explain(scenario, run)
    unwritten = []
    if html is not None:
        unwritten.append(write("html", html, as_html(told)))
    if perfetto is not None:
        unwritten.append(write("perfetto", perfetto, json.dumps(as_trace(told)) + "\n"))
    if as_json:
        print(json.dumps(as_data(told), indent=2))
    else:
        encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
        text = as_text(told, plain=not encoding.startswith("utf"))
        commands._print_lines(text.splitlines())
    refuse(*unwritten)
    return OK


def _failing(what: str, loaded: "ScenarioFile") -> "Run":
    """Return the run that a string or a file stands for; inside ``following()``.

    Raises:
        CliError: it is none of this scenario, goes another way, or does not fail.
    """
    from cluster.race.again import replay
    from cluster.race.run import CLEAN, Diverged

    record = record_for(what, loaded.scenario)
    try:
        run, _control = replay(loaded.scenario, record)
    except Diverged as error:
        raise CliError(DIVERGED, "replay diverged", divergence_told(record, error)) from None
    if run.verdict.kind == CLEAN:
        raise CliError(USAGE, "replay string", "is of a run that is clean")
    return run


def _print_shrunk(shrunk: "Shrunk", record: "Record", command: str | None, as_json: bool) -> None:
    from cluster.race.schedule import segments_of

    segments = segments_of(shrunk.run.actors)
    if as_json:
        data: dict[str, Any] = {
            "kind": shrunk.run.verdict.kind,
            "signature": shrunk.run.verdict.signature,
            "runs": shrunk.runs,
            "steps_of_all_runs": shrunk.steps,
            "segments_before": shrunk.segments_before,
            "segments": shrunk.segments,
            "forced": shrunk.forced,
            "preemptions_before": shrunk.preemptions_before,
            "preemptions": shrunk.preemptions,
            "steps": len(shrunk.run.actors),
            "changes": list(shrunk.changes),
            "schedule": [list(segment) for segment in segments],
            "replay": record.text,
            "command": command,
        }
        print(json.dumps(data, indent=2))
        return
    verdict = shrunk.run.verdict
    lines = [
        f"{verdict.kind}: {verdict.signature.removeprefix(f'{verdict.kind}: ')}",
        f"segments {shrunk.segments_before} -> {shrunk.segments}, preemptions "
        f"{shrunk.preemptions_before} -> {shrunk.preemptions}, switches that do not come by "
        f"themselves {shrunk.forced}; {counted(len(shrunk.run.actors), 'step')} "
        f"({counted(shrunk.runs, 'run')})",
    ]
    if shrunk.changes:
        lines.append(f"the scenario: {', '.join(shrunk.changes)}")
    lines.append(f"schedule: {', '.join(_segment_told(*segment) for segment in segments)}")
    lines.append(f"replay string: {record.text}")
    if command is not None:
        lines.append(f"again: {command}")
    else:
        lines.append("again: race replay, once the scenario has these arguments")
    commands._print_lines(lines)


def _segment_told(actor: int, steps: int) -> str:
    from cluster.race.actors import actor_told

    return f"{actor_told(actor)} {steps}"


def register(parent: typer.Typer) -> None:
    """Add the commands ``race …`` to ``parent``: those of ``cluster.cli.race`` and these."""
    if not any(one.name == "shrink" for one in commands.app.registered_commands):
        commands.app.command("prove")(prove)
        commands.app.command("shrink")(shrink_command)
        commands.app.command("explain")(explain_command)
    commands.register(parent)
