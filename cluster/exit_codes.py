"""Exit codes of ``smplab``, and the one stderr line that goes with each.

The line is stable: ``smplab: <kind>: <message>``. Scripts may match on ``<kind>``.
"""

import sys
from typing import Final

from cluster import engine_api

OK: Final = 0
FAILED: Final = 1  # a guest assertion or an expectation of the run failed
USAGE: Final = 2  # usage, configuration, or a program outside the guest language
BROKEN: Final = 3  # the run broke: actor lost, Ray unreachable, an internal error
INVARIANT: Final = 4  # an invariant of the emulator does not hold
INCONCLUSIVE: Final = 5  # diff: an emulated outcome was not seen on the host, but might be
MUTATION: Final = 6  # a kernel with mutations broke: what they were to show
# of ``smplab race`` alone, beside OK and USAGE
BUG_FOUND: Final = 1  # a run failed
DIVERGED: Final = 3  # a replay goes another way than the run did
INCOMPLETE: Final = 4  # the budget ended before all that was asked for was looked at
TRY_AGAIN: Final = 75  # a full disk, a run that another process writes: EX_TEMPFAIL of sysexits.h
INTERRUPTED: Final = 130  # Ctrl-C, as shells report SIGINT
TERMINATED: Final = 143  # the same by SIGTERM

# exit_kind of a RunResult -> (exit code, kind on stderr)
OF_EXIT_KIND: Final[dict[str, tuple[int, str]]] = {
    engine_api.LIMIT: (FAILED, "limit reached"),
    engine_api.DEADLOCK: (FAILED, "deadlock"),
    engine_api.GUEST: (FAILED, "guest program"),
    engine_api.INVARIANT: (INVARIANT, "invariant violated"),
    engine_api.BROKEN: (BROKEN, "run broke"),
    engine_api.INTERRUPTED: (INTERRUPTED, "interrupted"),
    engine_api.STORAGE: (TRY_AGAIN, "cannot write"),
}

MUTATION_KIND: Final = "mutation found"


class CliError(Exception):
    """A command ends: ``code`` for the shell, ``kind`` and ``message`` for stderr."""

    def __init__(self, code: int, kind: str, message: str) -> None:
        super().__init__(code, kind, message)
        self.code = code
        self.kind = kind
        self.message = message


def report(kind: str, message: str) -> None:
    """Print ``smplab: kind: message`` to stderr; a message of several lines gets the prefix once
    per line, so that each line can be found by it. What of it steers a terminal is escaped; names
    that come from guests must have their line breaks escaped before (``kernel.trace.printable``).
    """
    from kernel.trace.printable import printable_line

    for line in message.split("\n"):
        text = f"smplab: {kind}: {line}" if line else f"smplab: {kind}"
        print(printable_line(text), file=sys.stderr)
