"""``smplab race points``: all points of the kernel, and what guards each field that CPUs share."""

import json
import os
import sys
from typing import Annotated

import typer

from cluster import fast_core
from cluster.exit_codes import OK, USAGE, CliError


def pure_core() -> None:
    """See to it that the kernel is the pure one, whose fields can be followed.

    Raises:
        CliError: this process has the other one, or was told to.
    """
    if os.environ.get(fast_core.VARIABLE) == "compiled":
        what = f"{fast_core.VARIABLE} is 'compiled', and races are looked for in the pure core only"
        raise CliError(USAGE, "usage", what)
    if "kernel" not in sys.modules:
        os.environ[fast_core.VARIABLE] = "pure"  # of the workers, too
    elif fast_core.core() == "compiled":
        raise CliError(USAGE, "usage", "races are looked for in the pure core only")


def points(
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """List every point of the kernel, with its kind, its place in the source and what it is about.

    Then every field of what CPUs share: the lock that guards it, or why it needs none. The names
    of points are those that --mutate takes (locks and barriers).
    """
    pure_core()
    from cluster.race.points import as_plain, as_text

    if as_json:
        print(json.dumps(as_plain(), indent=2))
    else:
        for line in as_text():
            print(line)
    return OK
