"""``smplab validate`` and ``smplab schema``: what can be configured."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.cli.options import ConfigArgument, SetOption
from cluster.exit_codes import OK, USAGE, CliError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cluster.config.model import Model
    from kernel.machine import MachineSpec


def validate(
    config: ConfigArgument,
    settings: SetOption = None,
) -> int:
    """Check a configuration, an experiment with all its points, or a scenario of races.

    And the programs it names: every problem is said, nothing is run.
    """
    from cluster.catalogue import config_path
    from cluster.cli.common import checked_machine, overrides
    from cluster.config import look_at_config
    from cluster.config.experiment import is_experiment
    from cluster.config.sched import classes_text
    from cluster.race.shipped import is_scenario, scenario_names, scenario_path
    from kernel.sched.classes import fair_class_by_name, scheduler
    from kernel.sched.fork_order import order_of

    shipped = str(config) in scenario_names() and not config.exists()
    path = scenario_path(config) if shipped else config_path(config)
    if is_scenario(path):
        if settings:
            raise CliError(USAGE, "usage", "--set: not for a scenario of races")
        print(f"{config}: valid: {scenario_text(path)}; smplab race run runs it")
        return OK
    if is_experiment(path):
        if settings:
            raise CliError(USAGE, "usage", "--set: not for an experiment, which has its own axes")
        print(f"{config}: valid: {experiment_text(path)}; smplab sweep runs them")
        return OK
    loaded = look_at_config(path, overrides(settings))
    spec = checked_machine(loaded)
    count = sum(spawn.count for spawn in spec.spawns)
    programs = "1 program" if count == 1 else f"{count} programs"
    engine, scheme = loaded.config.engine, loaded.config.taken_scheme
    print(f"{config}: valid: {spec.cpus} CPUs, {programs}, engine {engine}, scheme {scheme}")
    print(f"{config}: Linux {spec.linux}, {scheduler(spec.fair, spec.linux)}")
    order = order_of(spec.child_runs_first, fair_class_by_name(spec.fair))
    print(f"{config}: scheduling classes {classes_text(spec)}; child_runs_first {order}")
    if spec.places:
        print(f"{config}: scheduling domains {domains_text(spec)}")
    if loaded.cpus.numbers:
        print(f"{config}: {renumbered_text(loaded.cpus.numbers)}")
    slower = slower_text(spec)
    if slower:
        print(f"{config}: slower CPUs: {slower}")
    return OK


def scenario_text(path: Path) -> str:
    """Check the scenario of races at ``path``; return what machine it is about.

    Raises:
        ConfigError: with all that is wrong with it.
    """
    from cluster.race.scenario import load_scenario

    spec = load_scenario(path).scenario.spec
    without = f", {len(spec.mutations)} mutated" if spec.mutations else ""
    return f"a scenario of races, {spec.cpus} CPUs, {spec.memory_model}{without}"


def experiment_text(path: Path) -> str:
    """Check the experiment at ``path`` and all its points; return how many there are.

    Raises:
        ConfigError, CliError: what is wrong with it, its base, a point or a program.
    """
    from cluster.cli.sweep import checked_experiment

    found, _ = checked_experiment(path)
    number = len(found.points)
    return f"an experiment of {number} run{'s' if number > 1 else ''}"


def slower_text(spec: "MachineSpec") -> str:
    """Return what makes CPUs slower than a CPU can be, "" if nothing does."""
    from kernel.cpu.rated import refills

    found = []
    small = sum(place[5] != 1024 for place in spec.places)
    if small:
        found.append(f"{small} of less capacity")
    if spec.smt_share:
        shares = ", ".join(f"{share / 10:g}" for share in spec.smt_share[1:])
        found.append(f"{shares} % of the speed beside busy siblings")
    if any(refills(spec.costs)):
        found.append("caches filled after moves")
    found += [each.kind for each in spec.noise]
    return ", ".join(found)


def renumbered_text(numbers: "Sequence[int]") -> str:
    """Return what CPUs are called that a topology file numbers with a hole."""
    from kernel.proc.array import bitmap_list_string

    named = bitmap_list_string(sum(1 << number for number in numbers))
    return f"CPUs {named} of the topology file are numbered 0 to {len(numbers) - 1} here"


def domains_text(spec: "MachineSpec") -> str:
    """Return the levels of scheduling domains, the innermost first, and how many each has."""
    from kernel.smp.topology import build

    levels = []
    for level in build(spec.places, spec.distances, spec.linux).levels:
        sizes = sorted({span.bit_count() for span in level.spans})
        each = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        far = f", distance {level.distance}" if level.distance else ""
        domains = len(set(level.spans))
        levels.append(f"{level.name} ({domains} of {each} CPUs{far})")
    return ", ".join(levels) or "none"


def _kinds() -> "dict[str, tuple[type[Model], str]]":
    """Return what each kind of file is read as, and the title of its schema."""
    from cluster.config import RunConfig
    from cluster.config.experiment import ExperimentKeys
    from cluster.config.models import CostProfile
    from cluster.race.scenario import ScenarioKeys

    return {
        "config": (RunConfig, "smplab configuration"),
        "experiment": (ExperimentKeys, "smplab experiment"),
        "scenario": (ScenarioKeys, "smplab scenario of races"),
        "costs": (CostProfile, "smplab cost profile"),
    }


def schema(
    kind: Annotated[
        str, typer.Argument(help="config, experiment, scenario (of races) or costs.")
    ] = "config",
) -> int:
    """Print the JSON schema of a kind of file, for an editor that checks as one types."""
    from cluster.config.errors import got

    known = _kinds()
    if kind not in known:
        raise CliError(USAGE, "usage", f"KIND must be one of {', '.join(known)} {got(kind)}")
    print(schema_text(kind), end="")
    return OK


def schema_text(kind: str = "config") -> str:
    """Return the JSON schema of files of a kind, as those under ``configs`` hold it."""
    model, title = _kinds()[kind]
    data: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(),
        "title": title,
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def register(app: typer.Typer) -> None:
    """Add the commands ``validate`` and ``schema`` to ``app``."""
    app.command()(validate)
    app.command()(schema)
