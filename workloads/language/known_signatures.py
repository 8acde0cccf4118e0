"""What CPython says when a module's function gets the wrong arguments."""

from typing import Any

from workloads.language.tables import Param
from workloads.language.values import Builtin


def signature_error(
    function: Builtin, params: tuple[Param, ...], args: tuple[Any, ...], words: Any
) -> str:
    """Return the text of the TypeError."""
    positional = [p for p in params if not p.keyword_only]
    given = len(args)
    if not params:
        return f"{function.qualname}() takes no arguments ({given + len(words)} given)"
    if len(args) > len(positional):
        return f"{function.name}() takes at most {len(positional)} arguments ({given} given)"
    return f"{function.name}() got wrong arguments"
