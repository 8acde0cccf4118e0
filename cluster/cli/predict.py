"""``smplab predict``: a configuration emulated and natively, side by side."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.cli.options import (
    ConfigArgument,
    CostsOption,
    CsvOption,
    JsonOption,
    SetOption,
    json_or_csv,
)
from cluster.exit_codes import BROKEN, FAILED, OK, USAGE, CliError

if TYPE_CHECKING:
    from cluster.config import Loaded
    from cluster.prediction.numbers import Row
    from kernel.machine import MachineSpec


def predict(
    config: ConfigArgument,
    costs: CostsOption = None,
    cpus: Annotated[
        int | None, typer.Option(min=1, max=1024, help="CPUs of both sides, not machine.cpus.")
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=1000, help="Native runs of each kind.")] = 5,
    within: Annotated[
        str | None, typer.Option(metavar="N%", help="Exit code 1 if throughput is off by more.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, max=86_400, help="Seconds a native run.")] = 300,
    settings: SetOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> int:
    """Run a configuration emulated and on this host, and print both with relative errors.

    Native programs run on as many CPUs of this host as the machine has; their numbers are medians
    with an interval of ranks. The latencies are of runs apart, in which each call is timed. Exit
    codes: 0, 1 off by more than --within, 2 it cannot run natively, 3 a run broke.
    """
    from cluster.calibration.sides import ProbeError, usable_cpus
    from cluster.prediction.emulated import EmulatedError, emulated_numbers
    from cluster.prediction.host import HostError
    from cluster.prediction.rows import measured

    json_or_csv(as_json, as_csv)
    bound = _bound(within)
    loaded, spec = for_both_sides(config, costs, cpus, settings, ("enabled", "syscalls"))
    here = usable_cpus()
    try:
        emulated = emulated_numbers(loaded, spec)
        rows = measured(loaded, emulated, spec.costs, here[-spec.cpus :], repeat, timeout)
    except (EmulatedError, HostError, ProbeError) as error:
        raise CliError(BROKEN, "predict", str(error)) from None
    if as_json:
        print(json.dumps([{**asdict(row), "error": row.error} for row in rows], indent=2))
    elif as_csv:
        print(_csv(rows), end="")
    else:
        for line in table(rows):
            print(line)
    return _judged(rows, bound)


def for_both_sides(
    config: Path,
    costs: Path | None,
    cpus: int | None,
    settings: list[str] | None,
    traced: Sequence[str],
) -> "tuple[Loaded, MachineSpec]":
    """Return a configuration that can run emulated, in this process, and natively.

    Args:
        config: as a command names it.
        costs: file of a profile; None: the configuration's.
        cpus: instead of machine.cpus; None: these.
        settings: of ``--set``.
        traced: keys of ``trace`` that are to be on; none: there is no trace.

    Raises:
        CliError: something in it is wrong, or a host cannot do it, with every reason.
    """
    from cluster.build import resolve
    from cluster.calibration.sides import usable_cpus
    from cluster.catalogue import config_path
    from cluster.cli.common import overrides
    from cluster.config import ConfigError, load_config
    from cluster.prediction.host import why_not

    flags: dict[str, object] = {"machine__cpus": cpus}
    if costs is not None:
        flags["costs"] = str(costs.resolve())
    given = overrides(settings, **flags)
    keys = [f"trace.{key}=true" for key in traced] or ["trace.enabled=false"]
    given += [("smplab", key) for key in ("engine=local", *keys)]
    try:
        loaded = load_config(config_path(config), given)
        spec = resolve(loaded)
    except ConfigError as error:
        raise CliError(USAGE, "bad config", str(error)) from None
    reasons = why_not(loaded, len(usable_cpus()))
    if reasons:
        lines = "\n".join(f"{config}: cannot run natively: {reason}" for reason in reasons)
        raise CliError(USAGE, "host", lines)
    return loaded, spec


def _bound(within: str | None) -> float | None:
    """Return the part that ``--within`` allows.

    Raises:
        CliError: it is no percentage.
    """
    if within is None:
        return None
    try:
        bound = float(within.removesuffix("%")) / 100
    except ValueError:
        bound = -1.0
    if not 0 <= bound <= 10:
        raise CliError(USAGE, "usage", f"--within {within}: a percentage from 0 to 1000, as 10%")
    return bound


def _judged(rows: "list[Row]", bound: float | None) -> int:
    if bound is None:
        return OK
    return (
        FAILED if any(abs(row.error) > bound for row in rows if row.measure == "throughput") else OK
    )


def table(rows: "list[Row]") -> list[str]:
    """Return the rows as lines."""
    from cluster.prediction.numbers import MEASURES

    lines = [f"{'':<12} {'emulated':>12} {'host':>12}  {'interval':<25}  error"]
    for row in rows:
        unit = MEASURES[row.measure]
        interval = f"{shown(row.low, unit)} … {shown(row.high, unit)}"
        lines.append(
            f"{row.measure:<12} {shown(row.emulated, unit):>12} {shown(row.native, unit):>12}  "
            f"{interval:<25}  {row.error:+.1%}"
        )
    return lines


def shown(value: float, unit: str) -> str:
    """Return a value with its unit: ns, in the unit that suits it; /s, or none."""
    if unit == "ns" and value < 1e3:
        return f"{value:,.0f} ns"
    if unit == "ns":
        return f"{value / 1e6:,.2f} ms" if value >= 1e6 else f"{value / 1e3:,.1f} us"
    return f"{value:,.0f}{unit}"


def _csv(rows: "list[Row]") -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("measure", "emulated", "native", "low", "high", "error"))
    for row in rows:
        writer.writerow((row.measure, row.emulated, row.native, row.low, row.high, row.error))
    return out.getvalue()


def register(app: typer.Typer) -> None:
    """Add the command ``predict`` to ``app``."""
    app.command()(predict)
