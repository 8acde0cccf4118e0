"""``smplab``: runs a command and turns whatever ends one into an exit code.

Every failure that a user can cause is one line on stderr, ``smplab: <kind>: <message>``, and an
exit code of ``cluster.exit_codes``; never a traceback. A bug of the emulator is reported the same
way as ``internal error``; SMPLAB_TRACEBACK=1 adds the traceback.

Commands import what they need when they run: Ray alone takes half a second, pydantic and YAML a
tenth each, Typer as much as half of what a small guest takes in all.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cluster import fast_core
from cluster.cli.common import discard_stdout, program_messages
from cluster.cli.interrupts import interruption, was_interrupted
from cluster.exit_codes import BROKEN, OK, USAGE, CliError, report


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; nothing is raised."""
    try:
        return _run_command(arguments)
    except KeyboardInterrupt:  # also while what went wrong is being told
        return _interrupted()


def _run_command(arguments: Sequence[str]) -> int:
    if fast_core.problem():
        report("usage", fast_core.problem())
        return USAGE
    streams = sys.stdout, sys.stderr
    try:
        words = list(arguments) or ["--help"]
        result = _call(words)
        return result if isinstance(result, int) else OK
    except CliError as error:
        report(error.kind, error.message)
        return error.code
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
            for kind, message in refused:
                report(kind, message)
            return USAGE
        if was_interrupted() or _is_abort(error):
            return _interrupted()
        if os.environ.get("SMPLAB_TRACEBACK") == "1":
            raise
        if isinstance(error, MemoryError):
            report("out of memory", "the host gives this process no more")
            return BROKEN
        what = " ".join(str(error).split())[:500]
        report("internal error", f"{type(error).__name__}: {what} (SMPLAB_TRACEBACK=1 shows more)")
        return BROKEN


def _call(words: list[str]) -> Any:
    """Run the command that the words of a command line name; return what it returns."""
    if (
        len(words) > 1
        and words[0] == "guest"
        and words[1][:1] not in ("", "-")
        and "_SMPLAB_COMPLETE" not in os.environ
    ):
        # no options: all words are the program's, and there is nothing to parse
        from cluster.cli.guest_run import GuestOptions, run_guest

        return run_guest(GuestOptions(Path(words[1]), words[2:]))
    from cluster.cli.app import make_app

    return make_app(words[0])(args=words, prog_name="smplab", standalone_mode=False)


def _is_abort(error: Exception) -> bool:
    """Tell whether Typer gave up because of a Ctrl-C."""
    typer = sys.modules.get("typer")
    return typer is not None and isinstance(error, typer.Abort)


def _refusal(error: Exception) -> list[tuple[str, str]]:
    """Return kinds and messages of what a command does not take; none: it failed otherwise."""
    from cluster.config.errors import ConfigError
    from cluster.rundir import RunDirError
    from workloads.language.errors import GuestProgramError

    if isinstance(error, ConfigError):
        programs = "\n".join(error.programs)
        return [("config error", str(error)), *([("guest program", programs)] if programs else [])]
    if isinstance(error, RunDirError):
        return [("bad run directory", str(error))]
    if isinstance(error, GuestProgramError):
        return [("guest program", "\n".join(program_messages(error)))]
    app = sys.modules.get("cluster.cli.app")
    if app is not None and isinstance(error, app.CLICK_ERROR):
        return [("usage", app.usage_message(error))]
    return []


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
