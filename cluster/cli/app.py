"""The command line as Typer has it: the commands, and what it says of a wrong one.

The modules of commands import at their heads what the help needs, and no more; and of a command
that is named first only its own module is imported (``_COMMANDS``).
"""

import functools
import importlib
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final

import typer

from cluster import fast_core
from cluster.cli.examples import epilog
from cluster.cli.interrupts import interruption
from cluster.exit_codes import OK, CliError

# command -> module of this package, in the order in which the help lists them
_COMMANDS: Final = {
    "run": "run",
    "guest": "guest",
    "diff": "diff",
    "native": "native",
    "validate": "configs",
    "schema": "configs",
    "list": "listing",
    "trace": "trace",
    "summary": "trace",
    "export": "export",
    "report": "report",
    "top": "top",
    "ps": "ps",
    "pstree": "ps",
    "acct": "ps",
    "sched": "sched",
    "output": "output",
    "replay": "replay",
    "resume": "resume",
    "sweep": "sweep",
    "calibrate": "calibrate",
    "predict": "predict",
    "compare": "compare",
    "accuracy": "accuracy",
    "outcomes": "outcomes",
    "scheduler": "scheduler",
    "litmus": "litmus",
    "race": "race_explain",  # with all of cluster.cli.race
    "import": "imports",
    "compile": "compile",
}
# Typer carries its own click; the base of its usage errors has no public name.
CLICK_ERROR: Final[Any] = next(
    base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException"
)


def make_app(first: str = "") -> typer.Typer:
    """Return the command line: all of it, or what ``first``, its first word, needs."""
    app = typer.Typer(
        name="smplab",
        help="Emulate Linux process management and SMP scheduling.",
        add_completion=True,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    modules = [_COMMANDS[first]] if first in _COMMANDS else _COMMANDS.values()
    for module in dict.fromkeys(modules):
        importlib.import_module(f"cluster.cli.{module}").register(app)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            group.typer_instance.info.epilog = epilog(str(group.typer_instance.info.name))
    for prefix, command in _commands(app):
        if command.callback is not None:
            name = command.name or command.callback.__name__
            command.epilog = epilog(f"{prefix}{name}")
            command.callback = _interruptible(command.callback)
    return app


def _commands(app: typer.Typer) -> Iterator[tuple[str, Any]]:
    """Yield the commands, each with the name of its group and a blank before it."""
    for command in app.registered_commands:
        yield "", command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            for command in group.typer_instance.registered_commands:
                yield f"{group.typer_instance.info.name} ", command


def commands_of(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the commands of a command line that Typer has made, by name, with that of a group."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands_of(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def _interruptible(command: Callable[..., Any]) -> Callable[..., Any]:
    """Make Ctrl-C a failure like the others; Typer would end the program without a word."""

    @functools.wraps(command)
    def call(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except KeyboardInterrupt:
            code, message = interruption()
            raise CliError(code, "interrupted", message) from None

    return call


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"smplab {version('smplab')}, core: {fast_core.core()}")
        raise typer.Exit(OK)


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Emulate Linux process management and SMP scheduling."""


def usage_message(error: Any) -> str:
    """Return one line for a usage error of Typer's."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "smplab"
    if (
        context is not None and type(error).__name__ == "NoArgsIsHelpError"
    ):  # its message is the whole help
        names = ", ".join(context.command.list_commands(context))
        return f"expected a command: {names} (see {command} --help)"
    message = " ".join(str(error.format_message()).split())
    return f"{message} (see {command} --help)" if message else f"see {command} --help"
