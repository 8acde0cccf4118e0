"""What the checker says to write instead, and which problems only follow from another one.

Advice is right or it is not given: "leave it out" would change what a program means.
"""

import ast
import builtins
import difflib
from collections.abc import Iterable
from typing import Final

from workloads.language.tables import MODULES

#: builtins of Python that are not in the language: what to write instead
_BUILTINS: Final = {
    "open": "write os.open()",
    "input": "write os.read(0, n)",
}


def takes(names: Iterable[str]) -> str:
    """Say which arguments there are."""
    return f"it takes {', '.join(names) or 'none'}"


def meant(text: str, known: Iterable[str], else_: str) -> str:
    """Ask whether a known name that looks like ``text`` is meant; without one, say ``else_``."""
    near = difflib.get_close_matches(text, sorted(set(known)), 1, 0.75)
    return f"did you mean {near[0]}?" if near else else_


def unknown_name(text: str, known: Iterable[str], functions: Iterable[str]) -> tuple[str, str]:
    """Return problem and advice for a name that nothing in the program binds.

    Args:
        text: the name.
        known: the names that could be meant.
        functions: the builtin functions of the language.
    """
    if hasattr(builtins, text) and not text.startswith("_"):
        there = f"its builtin functions are {', '.join(sorted(functions))}"
        return f"the builtin {text!r} is not in the guest language", _BUILTINS.get(text, there)
    return f"the name {text!r} is not defined", meant(text, known, "define it first")


def unbound_by_refusal(tree: ast.Module) -> set[str]:
    """Return the names that only refused statements bind: their uses are no problems of their own.

    Classes, async functions, their parameters; anything, after ``import *`` of unknown modules.
    """
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
            for part in ast.walk(node):
                if isinstance(part, ast.arg):
                    names.add(part.arg)
        elif (
            isinstance(node, ast.ImportFrom)
            and node.module not in MODULES
            and any(alias.name == "*" for alias in node.names)
        ):
            names.add("*")
    return names
