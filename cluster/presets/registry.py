"""Which families there are, and what a preset's text stands for.

Every module of ``cluster.presets.families`` is one, in the order of their names.
"""

import difflib
import importlib
import pkgutil
import re
from functools import lru_cache
from typing import Final

from cluster.presets import families as modules
from cluster.presets.family import Family, Preset, words_of
from cluster.presets.options import OptionProblems

MAX_LENGTH: Final = 4096
_NAME: Final = re.compile(r"([a-z][a-z0-9_-]*):(.*)", re.DOTALL)


@lru_cache(1)
def families() -> dict[str, Family]:
    """Return every family by its name."""
    names = sorted(module.name for module in pkgutil.iter_modules(modules.__path__))
    found = (importlib.import_module(f"{modules.__name__}.{name}").FAMILY for name in names)
    return {family.name: family for family in found}


def family_of(text: str) -> tuple[Family, str]:
    """Return the family that ``text`` begins with, and what comes after the colon.

    Raises:
        OptionProblems: there is no such family.
    """
    match = _NAME.fullmatch(text)
    name, rest = (match[1], match[2]) if match else (text, "")
    known = families()
    if match is None or name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}:?" if near else f"known: {', '.join(known)}"
        raise OptionProblems([f"no preset {text!r}: it begins with a family and ':' ({hint})"])
    return known[name], rest


def program_name(text: str) -> str:
    """Return how the program of a preset is called: its tasks have this name."""
    return family_of(text)[0].name


def preset_of(text: str) -> Preset:
    """Return the preset that ``text``, such as ``hackbench:-p -g 2``, stands for.

    Raises:
        OptionProblems: there is no such family, or something in it is wrong.
    """
    if len(text) > MAX_LENGTH or not text.isprintable():
        raise OptionProblems([f"a preset is a line of at most {MAX_LENGTH} characters"])
    family, rest = family_of(text)
    return family.make(words_of(rest))
