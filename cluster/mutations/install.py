"""Gives the kernel of this process the code that a machine's mutations want, and takes it back.

A function that is changed stays the same object, whoever holds it, in whichever table: its code is
replaced. So a kernel without mutations runs what it always runs, and pays nothing.
"""

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from types import CodeType
from typing import Any

# Most machines have no mutations: what makes code is imported once one has.

_kept: dict[Any, CodeType] = {}  # function -> its own code
_installed: list[tuple[str, ...]] = [()]


def install(mutations: Sequence[str]) -> None:
    """Let the kernel of this process have these mutations of its code, and no others.

    Args:
        mutations: as ``MachineSpec`` has them; those that change no code are the driver's.

    Raises:
        BadMutation: one makes no sense, or the core of this process is compiled and it is for the
            pure one.
    """
    wanted = tuple(mutations)
    if wanted == _installed[0]:
        return
    codes = _codes(wanted)
    for function, code in _kept.items():
        function.__code__ = code
    _kept.clear()
    for (module, name), new in codes.items():
        function = getattr(import_module(module), name)
        _kept[function] = function.__code__
        function.__code__ = new
    _installed[0] = wanted


@lru_cache(32)
def _codes(mutations: tuple[str, ...]) -> dict[tuple[str, str], CodeType]:
    """Return the code of each function that is another with ``mutations``, by module and name."""
    from cluster.mutations.changed import changed_functions

    return changed_functions(mutations)
