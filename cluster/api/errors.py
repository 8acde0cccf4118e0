"""What goes wrong for who uses smplab from Python; wrong configurations raise ConfigError."""

from collections.abc import Iterator
from contextlib import contextmanager

from cluster.exit_codes import CliError
from cluster.outputs import OutputError
from cluster.rundir import RunDirError
from cluster.trace import TraceError


class EmulatorError(Exception):
    """The run could not be made or its files not be read; the message is one line, or a list."""


class MissingError(EmulatorError):
    """What is asked for needs something that is not there: a trace, a package."""


@contextmanager
def told_plainly() -> Iterator[None]:
    """Raise what commands and readers of files raise as EmulatorError, with their words."""
    try:
        yield
    except CliError as error:
        raise EmulatorError(error.message) from None
    except (RunDirError, TraceError, OutputError) as error:
        raise EmulatorError(str(error)) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise EmulatorError(f"{where}{error.strerror or error}") from None
