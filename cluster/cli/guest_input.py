"""What a guest gets of the surroundings of ``smplab``: variables, terminals, standard input."""

import os
import select
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cluster.cli.common import MAX_STDIN
from cluster.exit_codes import USAGE, CliError

_LOOK_S: Final = 0.2  # of host time, between two looks whether the run is to end


def from_outside(
    env: list[str], pass_env: bool, stdin: Path | None, *, lazy: bool
) -> dict[str, Any]:
    """Return what the program gets of smplab's own surroundings, as options of ``guest_spec``.

    Args:
        lazy: a pipe is read when the program first reads it, and a terminal can be asked.

    Raises:
        CliError: an option is wrong, or standard input cannot be read.
    """
    from cluster.cli.common import check_stdin, read_stdin

    variables = dict(os.environ) if pass_env else {}
    for text in env:
        name, sign, value = text.partition("=")
        if not sign or not name or "\0" in text:
            raise CliError(USAGE, "usage", f"--env: must be NAME=VALUE (got {text!r})")
        variables[name] = value
    terminals = sum(
        1 << fd
        for fd, stream in ((1, sys.stdout), (2, sys.stderr))
        if stream is not None and stream.isatty()
    )
    found: dict[str, Any] = {"env": tuple(variables.items()), "terminals": terminals}
    if stdin is not None:
        return {**found, "stdin": read_stdin(stdin)}
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return found  # closed
    if stat.S_ISREG(mode):
        with open(0, "rb", closefd=False) as file:
            return {**found, "stdin": check_stdin(file.read(MAX_STDIN + 1))}
    if os.isatty(0):
        return {**found, "stdin": b"", "stdin_kind": "terminal"} if lazy else found
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        if lazy:
            return {**found, "stdin": b"", "stdin_kind": "late"}
        with open(0, "rb", closefd=False) as file:
            return {**found, "stdin": check_stdin(file.read(MAX_STDIN + 1)), "stdin_kind": "pipe"}
    return found


def _wait_for_input(interrupted: Callable[[], bool]) -> bool:
    """Wait until there is something to read; False: the run is to be interrupted."""
    while not select.select([0], [], [], _LOOK_S)[0]:
        if interrupted():
            return False
    return True


def next_line(interrupted: Callable[[], bool]) -> bytes:
    """Return what a read of the terminal gives: a line."""
    return os.read(0, 1 << 16) if _wait_for_input(interrupted) else b""


def all_input(interrupted: Callable[[], bool]) -> bytes:
    """Return all that comes through the pipe."""
    data = bytearray()
    while _wait_for_input(interrupted):
        part = os.read(0, 1 << 16)
        data += part
        if not part or len(data) > MAX_STDIN:
            break
    return bytes(data[:MAX_STDIN])
