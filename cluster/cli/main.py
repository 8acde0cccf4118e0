"""``smplab``: assembles the commands and turns whatever ends one into an exit code.

Every failure that a user can cause is one line on stderr, ``smplab: <kind>: <message>``, and an
exit code of ``cluster.exit_codes``; never a traceback. A bug of the emulator is reported the same
way as ``internal error``; SMPLAB_TRACEBACK=1 adds the traceback.

Commands import what they need when they run: Ray alone takes half a second, pydantic and YAML
a tenth each. So the modules of commands import at their heads what the help needs, and no more;
and of a command that is named first only its own module is imported (``_COMMANDS``).
"""

import functools
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

import typer

from cluster import fast_core
from cluster.cli.common import discard_stdout, program_messages
from cluster.cli.interrupts import interruption, was_interrupted
from cluster.exit_codes import BROKEN, OK, USAGE, CliError, report

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
    "ps": "ps",
    "pstree": "ps",
    "acct": "ps",
    "output": "output",
    "compile": "compile",
}
# Typer carries its own click; the base of its usage errors has no public name.
_CLICK_ERROR: Final[Any] = next(
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
    for command in app.registered_commands:
        if command.callback is not None:
            command.callback = _interruptible(command.callback)
    return app


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


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; nothing is raised."""
    if fast_core.problem():
        report("usage", fast_core.problem())
        return USAGE
    streams = sys.stdout, sys.stderr
    try:
        words = list(arguments) or ["--help"]
        app = make_app(words[0])
        result = app(args=words, prog_name="smplab", standalone_mode=False)
        return result if isinstance(result, int) else OK
    except CliError as error:
        report(error.kind, error.message)
        return error.code
    except _CLICK_ERROR as error:
        report("usage", _usage(error))
        return USAGE
    except SystemExit as error:
        # Typer ends the program with 1, and other streams, when nobody reads standard output
        replaced = (sys.stdout, sys.stderr) != streams
        sys.stdout, sys.stderr = streams
        if was_interrupted():  # Ray's handler of SIGTERM exits
            return _interrupted()
        if replaced:
            discard_stdout()
            return OK
        return error.code if isinstance(error.code, int) else BROKEN
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except BrokenPipeError:
        discard_stdout()
        return OK
    except OSError as error:
        if was_interrupted():
            return _interrupted()
        where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        report("i/o error", f"{where}{error.strerror or error}")
        discard_stdout()
        return BROKEN
    except Exception as error:
        if refused := _refusal(error):
            report(*refused)
            return USAGE
        if was_interrupted():
            return _interrupted()
        if os.environ.get("SMPLAB_TRACEBACK") == "1":
            raise
        what = " ".join(str(error).split())[:500]
        report("internal error", f"{type(error).__name__}: {what} (SMPLAB_TRACEBACK=1 shows more)")
        return BROKEN


def _refusal(error: Exception) -> tuple[str, str] | None:
    """Return kind and message of what a command does not take; None: it failed otherwise."""
    from cluster.config.errors import ConfigError
    from cluster.rundir import RunDirError
    from workloads.language.errors import GuestProgramError

    if isinstance(error, ConfigError):
        return "config error", str(error)
    if isinstance(error, RunDirError):
        return "bad run directory", str(error)
    if isinstance(error, GuestProgramError):
        return "guest program", "\n".join(program_messages(error))
    return None


def _interrupted() -> int:
    code, message = interruption()
    report("interrupted", message)
    return code


def finish_stdout(code: int) -> int:
    """Write out what is buffered for standard output, and return the exit code of the program.

    That is ``code``, or BROKEN for OK if it cannot be written. Nobody reading it is no failure.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()
    except OSError as error:
        discard_stdout()
        report("i/o error", f"{error.filename or 'standard output'}: {error.strerror}")
        return code or BROKEN
    return code


def _usage(error: Any) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "smplab"
    message = " ".join(str(error.format_message()).split())
    return f"{message} (see {command} --help)" if message else f"see {command} --help"
