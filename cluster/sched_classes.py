"""Scheduling classes that are not part of smplab: found, checked, and brought to every process.

``sched.fair`` names one in either of two ways. ``FILE.py:CLASS`` is a class (or an object) in a
file, taken from the configuration's folder. The text of the file goes with the machine
(``MachineSpec.fair_from``), as guest programs do, so the actors of a cluster need not have the
file. A plain name is that of an entry point in the group ``smplab.sched_classes``, of a package
that every host then has.

Both are Python that runs with all rights of the user: naming one in a configuration is like
starting it, ``smplab validate`` included.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from cluster.engine_api import OWN_CLASS
from cluster.plugins import installed, is_file
from kernel.machine import MachineSpec
from kernel.sched.classes import register
from kernel.sched.sched_class import FAIR_RANK, SchedClass
from kernel.uapi.policy import FAIR_POLICIES

GROUP: Final = "smplab.sched_classes"  # entry points: NAME = MODULE:CLASS
_NEEDED: Final = ("enqueue_task", "dequeue_task", "pick_next_task", "queued")
_RESERVED: Final = ("fair", "child_runs_first", "latency", "min_granularity", "wakeup_granularity")


class SchedClassError(Exception):
    """A class cannot be had, or is none; the message is one line."""


@dataclass(frozen=True, slots=True)
class Found:
    """A class from outside, and where it comes from, as ``MachineSpec.fair_from`` has it."""

    cls: SchedClass
    source: tuple[str, ...]  # (file name, text, CLASS), or (entry point,)


def is_installed(name: str) -> bool:
    """Tell whether a class of this name is installed."""
    return name in installed(GROUP).names


def installed_names() -> list[str]:
    """Return the names of the classes that are installed."""
    return sorted(installed(GROUP).names)


def find(name: str, folder: Path) -> Found:
    """Return the class that ``sched.fair`` names, made known to this process.

    Args:
        name: FILE.py:CLASS, or an installed one's.
        folder: what FILE.py is relative to.

    Raises:
        SchedClassError: there is none, it cannot be loaded, or it is no scheduling class.
    """
    if not is_file(name):
        return _made(name, (name,))
    file, _, attribute = name.rpartition(":")
    path = folder / file
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise SchedClassError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SchedClassError(f"{file}: not UTF-8 text") from None
    return _made(name, (path.name, text, attribute))


def bring(spec: MachineSpec) -> None:
    """Make the classes of a machine known to this process: before its first runqueue.

    Raises:
        SchedClassError: as ``find``; on another host than the one that checked the configuration.
    """
    if spec.fair_from:
        _made(spec.fair, spec.fair_from)


_found: Final[dict[tuple[str, ...], SchedClass]] = {}


def _made(name: str, source: tuple[str, ...]) -> Found:
    cls = _found.get(source)
    if cls is None:
        cls = _found[source] = _object(_from_text(*source) if len(source) == 3 else _entry(name))
    try:
        register(cls)
    except ValueError as error:
        raise SchedClassError(str(error)) from None
    return Found(cls, source)


def _entry(name: str) -> Any:
    for point in installed(GROUP).select(name=name):
        try:
            return point.load()
        except Exception as error:
            raise SchedClassError(f"{name}: {type(error).__name__}: {error}") from error
    raise SchedClassError(f"{name}: not installed here (entry points of {GROUP})")


def _from_text(file: str, text: str, attribute: str) -> Any:
    """Run the text of a file as a module and return what it calls ``attribute``."""
    module = ModuleType(f"{OWN_CLASS}{Path(file).stem}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # dataclasses look there
    try:
        exec(compile(ast.parse(text, file), file, "exec"), module.__dict__)
    except SyntaxError as error:
        where = f"{file}:{error.lineno}:{error.offset}"
        raise SchedClassError(f"{where}: {error.msg}") from None
    except Exception as error:
        raise SchedClassError(f"{_line(file, error)}: {type(error).__name__}: {error}") from error
    found = getattr(module, attribute, None)
    if found is None:
        raise SchedClassError(f"{file}: there is no {attribute} in it")
    return found


def _line(file: str, error: BaseException) -> str:
    """Return FILE:LINE of where in ``file`` an exception was raised last."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{file}:{line}" if line else file


def _object(found: Any) -> SchedClass:
    """Return the scheduling class that was found, checked."""
    if isinstance(found, type) and issubclass(found, SchedClass):
        try:
            made: Any = found
            found = made()
        except Exception as error:
            raise SchedClassError(
                f"{found.__name__}() raises {type(error).__name__}: {error}"
            ) from error
    if not isinstance(found, SchedClass):
        raise SchedClassError(
            f"{getattr(found, '__name__', found)!r} is no kernel.sched.sched_class.SchedClass"
        )
    problems = list(_problems(found))
    if problems:
        raise SchedClassError(f"{type(found).__name__}: {'; '.join(problems)}")
    return found


def _problems(cls: SchedClass) -> Iterator[str]:
    try:
        name, rank, policies, tunables = cls.name, cls.rank, cls.policies, cls.tunables
    except AttributeError:
        yield "its __init__ does not call SchedClass.__init__"
        return
    if type(name) is not str or not name.isidentifier() or name in _RESERVED:
        yield f"its name must be an identifier, and no key of sched (got {name!r})"
    if rank != FAIR_RANK:
        yield f"its rank must be that of the fair class, {FAIR_RANK} (got {rank!r})"
    if sorted(policies) != sorted(FAIR_POLICIES):
        yield f"its policies must be those of the fair class, {FAIR_POLICIES} (got {policies!r})"
    for operation in _NEEDED:
        if getattr(type(cls), operation) is getattr(SchedClass, operation):
            yield f"it has no {operation}"
    parameters = getattr(tunables, "__dataclass_params__", None)
    if not is_dataclass(tunables) or not getattr(parameters, "frozen", False):
        yield "its tunables must be a frozen dataclass"
        return
    for each in fields(tunables):
        if "kind" not in each.metadata:
            yield (f"the tunable {each.name} must be made by a function of kernel.sched.tunables")
