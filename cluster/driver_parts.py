"""Choosers and memory models from outside: found by name and made known to the kernel's driver.

``sync.tie_break`` names who decides how kernel paths take turns (``kernel.drive.chooser``), and
``machine.memory_model`` when CPUs see each other's stores (``kernel.drive.memory``). Each is one of
the kernel's, an installed one (entry points of the groups ``smplab.choosers`` and
``smplab.memory_models``, NAME = MODULE:CLASS), or a file's, ``FILE.py:CLASS``, whose text goes with
the machine. The kernel itself opens no files, so the process that holds it calls ``bring_parts``
first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cluster.plugins import (
    CHOOSER,
    MEMORY_MODEL,
    Kind,
    PluginError,
    Source,
    checked,
    installed_names,
    is_file,
    load,
    source_of,
)
from kernel.drive.chooser import chooser_names, register_chooser
from kernel.drive.memory import memory_model_names, register_memory_model
from kernel.machine import MachineSpec


@dataclass(frozen=True, slots=True)
class _Role:
    kind: Kind
    needed: tuple[str, ...]  # what an object of this kind has
    names: Callable[[], list[str]]
    register: Callable[[str, Callable[[], Any]], None]


_ROLES: Final = {
    "tie_break": _Role(CHOOSER, ("begin", "choose", "number"), chooser_names, register_chooser),
    "memory_model": _Role(
        MEMORY_MODEL,
        ("buffers", "load", "store", "barrier", "drains", "drain"),
        memory_model_names,
        register_memory_model,
    ),
}


class PartError(Exception):
    """A part of the driver cannot be had; the message is one line."""


def bring_parts(spec: MachineSpec) -> None:
    """Make sure that the kernel knows the parts that a machine names.

    Raises:
        PartError: there is none of that name, or it cannot be loaded.
    """
    load_part("tie_break", spec.tie_break, spec.tie_break_from)
    load_part("memory_model", spec.memory_model, spec.memory_model_from)


def load_part(role: str, name: str, source: Source = ()) -> None:
    """Make sure that the kernel knows the part ``name``.

    Args:
        role: tie_break or memory_model.
        name: one of the kernel's, an installed one's, or FILE.py:CLASS.
        source: where a file's is from; by default it is read, relative to this folder.

    Raises:
        PartError: there is none, it cannot be loaded, or it is none.
    """
    which = _ROLES[role]
    if not is_file(name):
        if name in which.names():
            return
        if name not in installed_names(which.kind):
            have = ", ".join(all_names(role))
            raise PartError(f"there is no {which.kind.word} {name!r} (there is: {have})")
        source = (name,)
    try:
        make = load(which.kind, source or source_of(name, Path()))
        checked(which.kind, make, which.needed)
        which.register(name, make)
    except PluginError as error:
        raise PartError(str(error)) from error.__cause__
    except ValueError as error:  # another text stood for the file in this process
        raise PartError(str(error)) from None


def all_names(role: str) -> list[str]:
    """Return the names of all parts that can be had by name: our own, then those installed."""
    which = _ROLES[role]
    ours = [name for name in which.names() if not is_file(name)]
    return [*ours, *(name for name in installed_names(which.kind) if name not in ours)]
