"""``smplab diff``: run guest programs on the host's kernel and emulated, and compare.

``smplab diff [OPTIONS] PROGRAM... [-- ARG...]``: programs and folders of programs; what follows
``--`` are the arguments of each program.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand

from cluster.exit_codes import BROKEN, FAILED, OK, USAGE, CliError

if TYPE_CHECKING:
    from cluster.diff import Plan
    from cluster.diff_report import Row

_ARGUMENTS: Final = "smplab.program_arguments"
_MAX_SEEDS: Final = 100_000
_MAX_RUNS: Final = 10_000


class DiffCommand(TyperCommand):
    """Keeps what follows ``--`` apart: it is for the programs, not for us."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the programs' arguments away, then parse as always."""
        if "--" in args:
            place = args.index("--")
            ctx.meta[_ARGUMENTS] = args[place + 1 :]
            args = args[:place]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("diff", cls=DiffCommand)(diff)


def diff(
    context: typer.Context,
    programs: Annotated[
        list[Path],
        typer.Argument(
            metavar="PROGRAM... [-- ARG...]", help="Guest programs, and folders of them."
        ),
    ],
    runs: Annotated[
        int, typer.Option(min=1, max=_MAX_RUNS, help="Host runs of each program, at least.")
    ] = 1,
    max_runs: Annotated[
        int,
        typer.Option(
            min=1,
            max=_MAX_RUNS,
            help="Host runs at most, while an emulated outcome is not among the host's.",
        ),
    ] = 40,
    seeds: Annotated[
        int, typer.Option(min=1, max=_MAX_SEEDS, help="How many seeds; at step: schedules.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="The first seed.")] = 42,
    cpus: Annotated[str, typer.Option(help="CPUs of the emulated machines.")] = "1,2,8",
    granularity: Annotated[str, typer.Option(help="syscall, step or both.")] = "syscall,step",
    scheme: Annotated[str, typer.Option(help="exact, barrier or both.")] = "exact",
    check: Annotated[
        bool, typer.Option("--check", help="Check all invariants while running, too.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, max=1e6, help="Seconds for each run.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Run each PROGRAM on this host's kernel and emulated; compare the sets of outcomes.

    An outcome is standard output and error, exit status and process tree. Every outcome of the
    emulator must be one of the host's. Emulated runs: every combination of CPUs, seeds,
    granularities and schemes. What follows -- are the arguments of each program.

    Exits 0 if all agree, 1 if one differs, 2 if one is outside the guest language, 3 if the host
    could not run one.
    """
    from cluster.cli.common import check_machine_options
    from cluster.config.models import SCHEMES
    from cluster.diff import Plan
    from cluster.diff_report import render_details, render_table, to_json
    from cluster.emulated import GRANULARITIES

    check_machine_options(1, seed)
    plan = Plan(
        cpus=_list("--cpus", cpus, _cpus),
        seeds=tuple(range(seed, seed + seeds)),
        granularities=_list("--granularity", granularity, _one_of(GRANULARITIES)),
        schemes=_list("--scheme", scheme, _one_of(SCHEMES)),
        runs=runs,
        max_runs=max(runs, max_runs),
        check=check,
        timeout_s=timeout,
    )
    files = find_programs(programs)
    rows: list[Row] = []
    for file in files:
        row = _diff_one(file, context.meta.get(_ARGUMENTS, []), plan)
        rows.append(row)
        if not as_json and (text := render_details(row)):
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    if as_json:
        sys.stdout.write(json.dumps(to_json(rows), indent=1) + "\n")
    else:
        sys.stdout.write(render_table(rows) + "\n")
    return _exit_code(rows)


def find_programs(paths: Sequence[Path]) -> list[Path]:
    """Return the programs that the user named: files as they are, and those of folders, sorted.

    Raises:
        CliError: there is no such file, or a folder without programs.
    """
    files = []
    for path in paths:
        if path.is_dir():
            found = sorted(path.rglob("*.py"))
            if not found:
                raise CliError(USAGE, "usage", f"{path}: no programs (*.py) in this folder")
            files += found
        elif path.exists():
            files.append(path)
        else:
            hint = "" if path.suffix == ".py" else "; arguments of the program go after --"
            raise CliError(USAGE, "usage", f"{path}: no such file{hint}")
    return files


def _diff_one(file: Path, arguments: Sequence[str], plan: "Plan") -> "Row":
    from cluster.config.errors import ConfigError
    from cluster.diff import diff_program
    from cluster.diff_report import Failure
    from cluster.native import NativeError
    from workloads.language.errors import GuestProgramError

    try:
        return diff_program(file, arguments, plan)
    except NativeError as error:
        return Failure(str(file), "host run failed", str(error))
    except GuestProgramError as error:
        return Failure(str(file), "guest program", str(error))
    except ConfigError as error:
        return Failure(str(file), "config error", str(error))


def _exit_code(rows: Sequence["Row"]) -> int:
    from cluster.diff_report import verdict

    codes = {"same": OK, "different": FAILED, "host run failed": BROKEN}
    return max(codes.get(verdict(row), USAGE) for row in rows)


def _list(option: str, text: str, convert: Callable[[str], Any]) -> tuple[Any, ...]:
    """Return the parts of a list like ``1,2,8``, each once, in the order they are given in."""
    try:
        values = [convert(part.strip()) for part in text.split(",")]
    except ValueError as error:
        raise CliError(USAGE, "usage", f"{option}: {error}") from None
    return tuple(dict.fromkeys(values))


def _cpus(text: str) -> int:
    from cluster.cli.common import check_machine_options

    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError(f"must be numbers with commas between (got {text!r})")
    check_machine_options(int(text), 0)
    return int(text)


def _one_of(known: Sequence[str]) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return text

    return convert
