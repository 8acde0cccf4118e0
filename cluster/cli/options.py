"""Arguments and options that several commands have: how they are written, and what they mean."""

from pathlib import Path
from typing import Annotated

import typer

from cluster.cli.completion import complete_config, complete_run
from cluster.exit_codes import USAGE, CliError

ConfigArgument = Annotated[
    Path,
    typer.Argument(
        help="A YAML or JSON file, a shipped one's name, or a preset (smplab list presets).",
        metavar="CONFIG",
        autocompletion=complete_config,
    ),
]
RunArgument = Annotated[
    Path,
    typer.Argument(metavar="RUN", autocompletion=complete_run, help="A run directory; latest."),
]
TraceArgument = Annotated[
    Path,
    typer.Argument(
        metavar="RUN", autocompletion=complete_run, help="A run directory, latest, or a trace file."
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key; may be repeated."),
]
AddressOption = Annotated[
    str | None, typer.Option(help="Ray cluster: local (start one), auto, HOST:PORT.")
]
LinkOption = Annotated[
    str | None, typer.Option(help="Between Ray's actors: auto, shm, graph or calls.")
]
PackOption = Annotated[
    str | None, typer.Option(metavar="N", help="Ray: CPUs in an actor, or auto.")
]
SchemeOption = Annotated[
    str | None, typer.Option(help="Synchronisation scheme, instead of sync.scheme.")
]
QuantumOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Instead of sync.quantum, such as 20us.")
]
SlackOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Scheme slack: instead of sync.slack.")
]
CostsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Cost profile, as of smplab calibrate; else the config's."),
]
OutOption = Annotated[
    str | None, typer.Option(metavar="DIR", help="Folder that gets the run directory.")
]
JobsOption = Annotated[int, typer.Option("-j", "--jobs", min=1, max=1024, help="Processes.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON; times in ns.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="As CSV; times in ns.")]
LogFormatOption = Annotated[str, typer.Option(help="Log lines on stderr: console (with -v), json.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Log lines on stderr, too.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Only errors and the digest.")]


def json_or_csv(as_json: bool, as_csv: bool) -> None:
    """See to it that not both are asked for.

    Raises:
        CliError: they are.
    """
    if as_json and as_csv:
        raise CliError(USAGE, "usage", "--json and --csv: choose one")
