"""``smplab race …``: look for races in a scenario, make a run again."""

import difflib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cluster import fast_core
from cluster.cli.completion import complete_scenario
from cluster.cli.race_files import code_hash, divergence_told, record_for
from cluster.cli.race_mutants import mutants
from cluster.cli.race_points import points, pure_core
from cluster.cli.race_workers import (
    Audit,
    Engine,
    Jobs,
    Times,
    check_audit,
    end_of,
    replay_often,
    workers,
)
from cluster.cli.writing import check_writable, refuse, write
from cluster.exit_codes import BUG_FOUND, DIVERGED, INCOMPLETE, OK, USAGE, CliError
from cluster.report.units import counted

if TYPE_CHECKING:
    from cluster.race.again import Again, Record
    from cluster.race.explore import Found
    from cluster.race.run import Run
    from cluster.race.scenario import ScenarioFile

app = typer.Typer(
    name="race",
    help="Look for races: runs of a scenario whose every step is chosen and watched.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Scenario = Annotated[
    Path,
    typer.Argument(
        metavar="SCENARIO",
        help="A scenario, FILE.yaml or a shipped one's name, or a guest program, FILE.py.",
        autocompletion=complete_scenario,
    ),
]
_Cpus = Annotated[int | None, typer.Option("--cpus", help="Simulated CPUs; else the scenario's.")]
_Model = Annotated[
    str | None,
    typer.Option("--model", help="Memory model: sc, tso, pso, arm, weak; else the scenario's."),
]
_Mutate = Annotated[
    list[str] | None,
    typer.Option("--mutate", metavar="MUTATION", help="This, not the scenario's; repeat."),
]
_Unmutated = Annotated[
    bool, typer.Option("--unmutated", help="The kernel as it is: no mutations at all.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]

_SHOWN_STEPS: Final = 40
_MOST_RUNS: Final = 1_000_000_000
_MOST_SEED: Final = (1 << 63) - 1 - _MOST_RUNS  # replay strings have 63 bits of one


def _load(
    path: Path,
    cpus: int | None,
    model: str | None,
    mutate: list[str] | None,
    unmutated: bool,
    *,
    watched: bool = True,
) -> "ScenarioFile":
    if watched:
        pure_core()
    from cluster.race.scenario import load_scenario

    if unmutated and mutate:
        raise CliError(USAGE, "usage", "--mutate and --unmutated exclude each other")
    from cluster.race.shipped import scenario_path

    mutations = [] if unmutated else mutate
    return load_scenario(scenario_path(path)).changed(cpus=cpus, model=model, mutations=mutations)


app.command("points")(points)
app.command("mutants")(mutants)


@app.command("run")
def run(
    path: _Scenario,
    strategy: Annotated[
        str,
        typer.Option(
            help="portfolio, random, pct, pct2, pct3, pct5, pos, surw, delay, hold or dpor."
        ),
    ] = "portfolio",
    runs: Annotated[
        int | None,
        typer.Option("--runs", min=1, max=_MOST_RUNS, help="At most so many; else the scenario's."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--time", min=0.001, metavar="S", help="At most so long.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=_MOST_SEED, help="Of the first run; others follow.")
    ] = 1,
    cpus: _Cpus = None,
    model: _Model = None,
    mutate: _Mutate = None,
    unmutated: _Unmutated = False,
    jobs: Jobs = 1,
    engine: Engine = "local",
    audit: Audit = 0,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Make all runs, whatever is found.")
    ] = False,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Write the record of the bug.")
    ] = None,
    as_json: _Json = False,
) -> int:
    """Make runs of a scenario until one fails.

    Exits 0 if all were clean; 1 if one failed; 3 if an audit finds runs that differ; 4 if the time
    was up before the runs were made that --runs asks for. Ctrl-C and SIGTERM end the runs, and what
    was found so far is told.
    """
    loaded = _load(path, cpus, model, mutate, unmutated)
    from cluster.cli.race_every import every
    from cluster.race.every import DPOR
    from cluster.race.explore import Plan, explore
    from cluster.race.strategies import strategy_names
    from cluster.race.watch import following

    _check_strategy(strategy, [*strategy_names(), DPOR])
    check_writable(save=save)
    if seconds is None and loaded.time_ns is not None:
        seconds = loaded.time_ns / 1e9
    most = runs or loaded.runs
    plan = Plan(loaded.scenario, strategy, seed, most, seconds, not keep_going, audit)
    who = workers(jobs, engine)
    with following():
        with _telling(plan.runs) as told:
            found = every(plan, who, told) if strategy == DPOR else explore(plan, who, told)
        record = None if found.bug is None else _recorded(loaded, found.bug)
    options = _options(cpus, model, mutate, unmutated)
    unwritten = ""
    if save is not None and record is not None:
        unwritten = write("save", save, record.as_json())
    replay = None
    if record is not None:
        what = record.text if save is None or unwritten else str(save)
        replay = " ".join(["smplab race replay", _quoted(what), _quoted(str(path)), *options])
    told_of_audit, audited = ([], None) if not found.samples else check_audit(plan, found)
    if as_json:
        plain = _found_plain(loaded, plan.strategy, seed, found, record, replay)
        print(json.dumps(plain if audited is None else {**plain, "audit": audited}, indent=2))
    else:
        _print_found(loaded, plan.strategy, seed, found, record, replay)
        _print_lines(told_of_audit)
    refuse(unwritten)
    end_of(found, audited)
    if found.first is not None:
        return BUG_FOUND
    return INCOMPLETE if runs is not None and not found.finished else OK


@app.command("replay")
def replay(
    what: Annotated[
        str, typer.Argument(metavar="STRING|FILE", help="A replay string, or a file of --save.")
    ],
    path: _Scenario,
    until: Annotated[
        int | None, typer.Option("--until", min=1, metavar="STEP", help="Stop after this step.")
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(
            "--break",
            metavar="LABEL|INVARIANT",
            help="Stop before the first step at this point, or before the step that fails: its "
            "kind (race, invariant, deadlock, …) or a part of its report.",
        ),
    ] = None,
    cpus: _Cpus = None,
    model: _Model = None,
    mutate: _Mutate = None,
    unmutated: _Unmutated = False,
    times: Times = 1,
    jobs: Jobs = 1,
    engine: Engine = "local",
    as_json: _Json = False,
) -> int:
    """Make a run again, step by step as it was.

    Exits 1 if it fails as it did; 0 if it is clean or stopped; 3 if it goes another way. With
    SMPLAB_CORE=compiled it is made on the compiled core, where fields do not tell of their use: the
    digest is the same, and of a data race it says where the run ended, not why.
    """
    watched = os.environ.get(fast_core.VARIABLE) != "compiled"
    loaded = _load(path, cpus, model, mutate, unmutated, watched=watched)
    from cluster.cli.race_stops import stop_at
    from cluster.race.again import replay as run_again
    from cluster.race.run import CLEAN, Diverged
    from cluster.race.watch import following

    record = record_for(what, loaded.scenario)
    try:
        with following() if watched else nullcontext():
            if times > 1 or engine != "local":
                who = workers(jobs, engine, "pure" if watched else "compiled")
                if until or before:
                    what = "--until and --break are for one replay in this process"
                    raise CliError(USAGE, "usage", what)
                return replay_often(
                    loaded.scenario, record, times, who, watched=watched, as_json=as_json
                )
            until, label = stop_at(loaded.scenario, record, until, before, watched=watched)
            done, control = run_again(loaded.scenario, record, until, label, watched=watched)
            if label and not control.offers:
                raise CliError(USAGE, "usage", f"--break: the run has no step at {label}")
    except Diverged as error:
        raise CliError(DIVERGED, "replay diverged", divergence_told(record, error)) from None
    if as_json:
        print(json.dumps(_replay_plain(done, control), indent=2))
    else:
        _print_replay(done, control)
    stopped = bool(control.offers)
    return OK if stopped or done.verdict.kind == CLEAN else BUG_FOUND


# -- what they have in common ----------------------------------------------------------------------


def _check_strategy(strategy: str, known: list[str]) -> None:
    if strategy not in known:
        near = difflib.get_close_matches(strategy, known, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        what = f"--strategy: expected {', '.join(known)}, found {strategy!r}{hint}"
        raise CliError(USAGE, "usage", what)


def _recorded(loaded: "ScenarioFile", bug: "Run") -> "Record":
    from cluster.race.again import record_of

    return record_of(loaded.scenario, bug, code_hash())


def _options(
    cpus: int | None, model: str | None, mutate: list[str] | None, unmutated: bool
) -> list[str]:
    """Return the options that make the scenario what it was."""
    found = [] if cpus is None else [f"--cpus {cpus}"]
    found += [] if model is None else [f"--model {model}"]
    found += [f"--mutate {name}" for name in mutate or ()]
    return [*found, "--unmutated"] if unmutated else found


def _quoted(text: str) -> str:
    from shlex import quote

    return quote(text)


@contextmanager
def _telling(total: int) -> "Iterator[Callable[[Found], None] | None]":
    """Yield what tells on a terminal how far the runs are; None if nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[traces]} traces, {task.fields[failed]} failed"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total, traces=0, failed=0)

        def told(found: "Found") -> None:
            progress.update(
                task, completed=found.runs, traces=len(found.traces), failed=found.failed
            )

        yield told


# -- what is printed -------------------------------------------------------------------------------


def _machine_plain(loaded: "ScenarioFile") -> dict[str, Any]:
    spec = loaded.scenario.spec
    return {
        "scenario": loaded.scenario.name,
        "title": loaded.title,
        "cpus": spec.cpus,
        "model": spec.memory_model,
        "linux": spec.linux,
        "mutations": list(spec.mutations),
    }


def _machine_line(loaded: "ScenarioFile") -> str:
    spec = loaded.scenario.spec
    mutated = f", mutated: {', '.join(spec.mutations)}" if spec.mutations else ""
    machine = f"{counted(spec.cpus, 'CPU')}, {spec.memory_model}{mutated}"
    return f"{loaded.scenario.name}: {loaded.title} ({machine})"


def _bug_plain(bug: "Run", record: "Record | None", command: str | None) -> dict[str, Any]:
    return {
        "seed": bug.seed,
        "strategy": bug.strategy,
        "kind": bug.verdict.kind,
        "signature": bug.verdict.signature,
        "report": bug.verdict.text,
        "steps": len(bug.actors),
        "switches": 0 if record is None else record.schedule.switches,
        "replay": None if record is None else record.text,
        "command": command,
    }


def _found_plain(
    loaded: "ScenarioFile",
    strategy: str,
    seed: int,
    found: "Found",
    record: "Record | None",
    command: str | None,
) -> dict[str, Any]:
    from cluster.race.explore import hit_rate

    rate, low, high = hit_rate(found.failed, found.runs)
    return {
        **_machine_plain(loaded),
        "strategy": strategy,
        "seed": seed,
        "runs": found.runs,
        "finished": found.finished,
        "interrupted": found.interrupted,
        "steps": found.steps,
        "distinct_traces": len(found.traces),
        "failed": found.failed,
        "first_failed": None if found.first is None else found.first + 1,
        "complete": found.complete,
        "hit_rate": None
        if found.complete is not None
        else {"rate": rate, "low": low, "high": high},
        "verdicts": [
            {"kind": kind, "signature": signature, "runs": count}
            for (kind, signature), count in sorted(found.kinds.items())
        ],
        "bug": None if found.bug is None else _bug_plain(found.bug, record, command),
    }


def _print_lines(lines: list[str]) -> None:
    from kernel.trace.printable import printable_line

    for line in lines:
        print(printable_line(line))


def _bug_lines(bug: "Run", record: "Record", command: str | None) -> list[str]:
    switches = record.schedule.switches
    return [
        f"{bug.verdict.kind} after {counted(len(bug.actors), 'step')} and "
        f"{switches:,} switch{'' if switches == 1 else 'es'} (seed {bug.seed}, {bug.strategy}):",
        *(f"  {line}" for line in bug.verdict.text.splitlines()),
        f"replay string: {record.text}",
        f"again: {command}",
    ]


def _print_found(
    loaded: "ScenarioFile",
    strategy: str,
    seed: int,
    found: "Found",
    record: "Record | None",
    command: str | None,
) -> None:
    from cluster.race.explore import hit_rate

    rate, low, high = hit_rate(found.failed, found.runs)
    by_chance = found.complete is None
    from_seed = f" from seed {seed}" if by_chance else ""
    lines = [
        _machine_line(loaded),
        f"{counted(found.runs, 'run')} of {strategy}{from_seed}, "
        f"{counted(len(found.traces), 'distinct trace')}, {counted(found.steps, 'step')}",
    ]
    if found.bug is None or record is None:
        if found.complete:
            lines.append("clean, and no order of steps is left that can matter")
        elif not by_chance:
            lines.append("clean so far; other orders are left")
        elif found.runs:
            lines.append(f"clean: with 95 % confidence fewer than {high:.2%} of such runs fail")
        if not found.finished:
            why = "stopped" if found.interrupted or found.lost else "the time was up"
            lines.append(f"{why} before all runs were made")
    else:
        first = (found.first or 0) + 1
        of = f"{rate:.2%} ({low:.2%} to {high:.2%} with 95 % confidence)"
        lines.append(
            f"the first that failed is run {first:,}; {found.failed:,} failed"
            + (f": {of}" if by_chance else "")
        )
        if len(found.kinds) > 1:
            lines += [
                f"  {count:6,} {kind}: {signature}"
                for (kind, signature), count in found.kinds.most_common()
            ]
        lines += _bug_lines(found.bug, record, command)
    _print_lines(lines)


def _replay_plain(done: "Run", control: "Again") -> dict[str, Any]:
    steps = zip(control.actors, control.names, control.cpus, strict=False)
    return {
        "stopped": bool(control.offers),
        "kind": "stopped" if control.offers else done.verdict.kind,
        "signature": "" if control.offers else done.verdict.signature,
        "report": "" if control.offers else done.verdict.text,
        "digest": "" if control.offers else done.digest,
        "steps": [
            {"step": step, "actor": actor, "point": name, "cpu": cpu}
            for step, (actor, name, cpu) in enumerate(steps, 1)
        ],
        "next": [
            {
                "point": offer.name,
                "cpu": offer.cpu,
                "actor": offer.actor,
                "goes": offer.next,
                "locks": list(offer.locks),
            }
            for offer in control.offers
        ],
    }


def _print_replay(done: "Run", control: "Again") -> None:
    from cluster.race.actors import actor_told

    count = len(control.actors)
    lines = []
    if control.offers:
        from cluster.cli.race_stops import offer_told

        first = max(0, count - _SHOWN_STEPS)
        for step in range(first, count):
            actor = control.actors[step]
            who = actor_told(actor)
            lines.append(f"{step + 1:6} cpu {control.cpus[step]:<2} {who:18} {control.names[step]}")
        lines.append(f"stopped after step {count}; next may be:")
        lines += [f"       {offer_told(offer)}" for offer in control.offers]
    elif done.verdict.kind == "clean":
        lines.append(f"the same {counted(count, 'step')}: clean, digest {done.digest}")
    else:
        lines.append(
            f"the same {counted(count, 'step')}: {done.verdict.kind}, digest {done.digest}"
        )
        lines += [f"  {line}" for line in done.verdict.text.splitlines()]
    _print_lines(lines)


def register(parent: typer.Typer) -> None:
    """Add the commands ``race …`` to ``parent``."""
    parent.add_typer(app)
