"""Choosers and memory models from outside: found by name and made known to the kernel's driver.

``sync.tie_break`` names who decides how kernel paths take turns (``kernel.drive.chooser``), and
``machine.memory_model`` when CPUs see each other's stores (``kernel.drive.memory``). Each is one of
the kernel's, an installed one (entry points of the groups ``smplab.choosers`` and
``smplab.memory_models``, NAME = MODULE:CLASS), or a file's, ``FILE.py:CLASS``, whose text goes with
the machine. The kernel itself opens no files, so the process that holds it calls ``bring_parts``
first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from cluster.plugins import (
    CHOOSER,
    MEMORY_MODEL,
    Kind,
    Needed,
    PartBroken,
    PluginError,
    Source,
    checked,
    installed_names,
    is_file,
    load,
    source_of,
)
from kernel.drive.chooser import Choice, Chooser, chooser_names, register_chooser
from kernel.drive.memory import Drain, MemoryModel, memory_model_names, register_memory_model
from kernel.machine import MachineSpec


class GuardedChooser:
    """A chooser from outside: an answer that is none ends the run."""

    __slots__ = ("_chooser",)

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser

    def begin(self, seed: int) -> None:
        """See ``Chooser.begin``."""
        self._chooser.begin(seed)

    def choose(self, enabled: Sequence[Choice]) -> int:
        """See ``Chooser.choose``."""
        return self._answer("choose", self._chooser.choose(enabled), len(enabled))

    def number(self, bound: int) -> int:
        """See ``Chooser.number``."""
        return self._answer("number", self._chooser.number(bound), bound)

    def _answer(self, method: str, answer: Any, bound: int) -> int:
        if type(answer) is not int or not 0 <= answer < bound:
            raise PartBroken(
                f"the chooser {type(self._chooser).__name__} fails: {method} must return a number "
                f"from 0 to {bound - 1} (got {answer!r})"
            )
        return answer


class GuardedModel:
    """A memory model from outside: a drain that is none, or that does not happen, ends the run."""

    __slots__ = ("_model", "barrier", "buffers", "load", "update")

    def __init__(self, model: MemoryModel) -> None:
        self._model = model
        self.buffers = model.buffers
        self.load = model.load
        self.update = model.update
        self.barrier = model.barrier

    def store(self, cpu: int, obj: Any, field: str, value: Any, kind: int) -> Drain | None:
        """See ``MemoryModel.store``."""
        found: Any = self._model.store(cpu, obj, field, value, kind)
        if found is not None and not isinstance(found, Drain):
            raise self._broken(f"store must return a Drain or None (got {found!r})")
        return found

    def drains(self) -> Sequence[Drain]:
        """See ``MemoryModel.drains``."""
        found: Any = self._model.drains()
        if not isinstance(found, (list, tuple)) or not all(isinstance(d, Drain) for d in found):
            raise self._broken(f"drains must return a list of Drains (got {found!r})")
        return found

    def drain(self, entry: Drain) -> None:
        """See ``MemoryModel.drain``."""
        self._model.drain(entry)
        if any(left is entry for left in self._model.drains()):
            raise self._broken(f"drain has not made {entry!r} visible")

    def _broken(self, what: str) -> PartBroken:
        return PartBroken(f"the memory model {type(self._model).__name__} fails: {what}")


@dataclass(frozen=True, slots=True)
class _Role:
    kind: Kind
    needed: Needed  # what an object of this kind has
    names: Callable[[], list[str]]
    register: Callable[[str, Callable[[], Any]], None]
    guard: Callable[[Any], Any]


_ROLES: Final = {
    "tie_break": _Role(
        CHOOSER,
        {"begin": "seed", "choose": "enabled", "number": "bound"},
        chooser_names,
        register_chooser,
        GuardedChooser,
    ),
    "memory_model": _Role(
        MEMORY_MODEL,
        {
            "buffers": bool,
            "load": "cpu, obj, field, kind",
            "store": "cpu, obj, field, value, kind",
            "update": "cpu, obj, field",
            "barrier": "cpu, kind",
            "drains": "",
            "drain": "entry",
        },
        memory_model_names,
        register_memory_model,
        GuardedModel,
    ),
}


@cache
def _guarded(role: str, make: Callable[[], Any]) -> Callable[[], Any]:
    """Return what makes parts that are held to the rules; of the same class always the same."""
    guard = _ROLES[role].guard
    return lambda: guard(make())


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
        which.register(name, _guarded(role, make))
    except PluginError as error:
        raise PartError(str(error)) from error.__cause__
    except ValueError as error:  # another text stood for the file in this process
        raise PartError(str(error)) from None


def all_names(role: str) -> list[str]:
    """Return the names of all parts that can be had by name: our own, then those installed."""
    which = _ROLES[role]
    ours = [name for name in which.names() if not is_file(name)]
    return [*ours, *(name for name in installed_names(which.kind) if name not in ours)]
