"""``smplab predict``: a configuration emulated and natively, side by side."""

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.cli.options import ConfigArgument, CsvOption, JsonOption, SetOption, json_or_csv
from cluster.exit_codes import BROKEN, FAILED, OK, USAGE, CliError

if TYPE_CHECKING:
    from cluster.prediction.numbers import Row


def predict(
    config: ConfigArgument,
    costs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Cost profile, as of smplab calibrate; else the config's."
        ),
    ] = None,
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
    from cluster.build import resolve
    from cluster.calibration.sides import ProbeError, usable_cpus
    from cluster.catalogue import config_path
    from cluster.cli.common import overrides
    from cluster.config import ConfigError, load_config
    from cluster.prediction.emulated import EmulatedError, emulated_numbers
    from cluster.prediction.host import HostError, why_not
    from cluster.prediction.rows import measured

    json_or_csv(as_json, as_csv)
    bound = _bound(within)
    flags: dict[str, object] = {"machine__cpus": cpus}
    if costs is not None:
        flags["costs"] = str(costs.resolve())
    given = overrides(settings, **flags)
    given += [("smplab predict", "engine=local"), ("smplab predict", "trace.enabled=true")]
    given.append(("smplab predict", "trace.syscalls=true"))
    try:
        loaded = load_config(config_path(config), given)
        spec = resolve(loaded)
    except ConfigError as error:
        raise CliError(USAGE, "bad config", str(error)) from None
    here = usable_cpus()
    reasons = why_not(loaded, len(here))
    if reasons:
        lines = "\n".join(f"{config}: cannot run natively: {reason}" for reason in reasons)
        raise CliError(USAGE, "predict", lines)
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
    lines = [f"{'':<12} {'emulated':>12} {'host':>12}  {'interval':<25}  error"]
    for row in rows:
        interval = f"{_shown(row, row.low)} … {_shown(row, row.high)}"
        lines.append(
            f"{row.measure:<12} {_shown(row, row.emulated):>12} {_shown(row, row.native):>12}  "
            f"{interval:<25}  {row.error:+.1%}"
        )
    return lines


def _shown(row: "Row", value: float) -> str:
    from cluster.prediction.numbers import MEASURES

    unit = MEASURES[row.measure]
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
