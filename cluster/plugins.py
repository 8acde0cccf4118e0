"""Parts from outside the project: what a file has, or what is installed.

A name is that of an entry point, or ``FILE.py:NAME``. What is loaded is Python code of the user's
own, and runs with the user's rights.

A file is read once, where the configuration is. From then on its text stands for it (``Source``)
and goes with the run, as guest programs do: the actors of a cluster need not have the file. So a
file of this kind stands alone; what several of them share is installed, on every host.
"""

import difflib
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

Source = tuple[str, ...]  # (file name, text, NAME), or (entry point,)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of parts."""

    word: str
    group: str  # of entry points: NAME = MODULE:CLASS
    also: str = ""  # another group; of one name in both, the first counts

    @property
    def prefix(self) -> str:
        """What names of modules made from texts begin with."""
        return f"smplab_own_{self.word.replace(' ', '_')}."


SCHED_CLASS: Final = Kind("scheduling class", "smplab.sched_classes", "smplab.schedulers")
SCHEME: Final = Kind("scheme", "smplab.schemes")
CHOOSER: Final = Kind("chooser", "smplab.choosers")
MEMORY_MODEL: Final = Kind("memory model", "smplab.memory_models")
KINDS: Final = (SCHED_CLASS, SCHEME, CHOOSER, MEMORY_MODEL)


class PluginError(Exception):
    """A part cannot be had; the message is one line, which names the file or the entry point."""


class PartBroken(Exception):
    """A part broke the rules of its kind while the machine ran; the message is one line."""


def is_file(name: str) -> bool:
    """Tell whether a name is ``FILE.py:NAME``."""
    return name.rpartition(":")[0].endswith(".py")


def place_of(name: str, folder: Path) -> str:
    """Return ``name`` with the file it may name taken from ``folder``."""
    if not is_file(name):
        return name
    file, _, attribute = name.rpartition(":")
    return f"{(folder / file).resolve()}:{attribute}"


def source_of(name: str, folder: Path) -> Source:
    """Return what ``load`` needs to have the part ``name``, on this host or on another.

    Args:
        name: FILE.py:NAME, or an entry point's.
        folder: what FILE.py is relative to.

    Raises:
        PluginError: the file cannot be read.
    """
    if not is_file(name):
        return (name,)
    file, _, attribute = name.rpartition(":")
    path = folder / file
    try:
        return (path.name, path.read_text("utf-8-sig"), attribute)
    except OSError as error:
        raise PluginError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise PluginError(f"{file}: not UTF-8 text") from None


def load(kind: Kind, source: Source) -> Any:
    """Return the part that ``source`` stands for; of the same text always the same one.

    Raises:
        PluginError: it is not there, or its code raises.
    """
    if len(source) == 3:
        return _from_text(kind, *source)
    (name,) = source
    for point in (each for each in points(kind) if each.name == name):
        try:
            found = point.load()
        except (Exception, SystemExit) as error:
            raise PluginError(f"{name}: {said(error)}") from error
        _installed_modules[point.module] = kind
        return found
    if name.endswith(".py"):
        raise PluginError(f"{name}: which {kind.word} of the file? Write {name}:CLASS")
    groups = f"{kind.group}{f' and {kind.also}' if kind.also else ''}"
    raise PluginError(f"{name}: not installed here (entry points of {groups})")


_modules: Final[dict[tuple[str, str, str], ModuleType]] = {}  # by kind, file name and text
_installed_modules: Final[dict[str, Kind]] = {}  # of the entry points that were loaded, by name


def _from_text(kind: Kind, file: str, text: str, attribute: str) -> Any:
    """Run the text of a file as a module, unless that was done, and return ``attribute`` of it."""
    place = (kind.word, file, text)
    module = _modules.get(place)
    if module is None:
        module = ModuleType(f"{kind.prefix}{Path(file).stem}_{len(_modules)}")
        module.__file__ = file
        # dataclasses and typing look there for what the text of an annotation means
        sys.modules[module.__name__] = module
        try:
            exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)
        except BaseException as error:
            del sys.modules[module.__name__]
            if isinstance(error, SyntaxError) and error.filename == file:
                where = f"{file}:{error.lineno}:{error.offset}"
                raise PluginError(f"{where}: {error.msg}") from None
            if isinstance(error, (Exception, SystemExit)):
                raise PluginError(f"{_line(file, error)}: {said(error)}") from error
            raise
        _modules[place] = module
    found = getattr(module, attribute, None)
    if found is None:
        near = difflib.get_close_matches(attribute, _own_classes(module), n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise PluginError(f"{file}: there is no {attribute} in it{hint}")
    return found


def _own_classes(module: ModuleType) -> list[str]:
    """Return the names of the classes that a module has made itself."""
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]


def said(error: BaseException) -> str:
    """Return what an exception says, in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


Needed = Mapping[str, str | type]  # by name: the parameters of an operation, or an attribute's type


def checked(kind: Kind, make: Any, needed: Needed) -> None:
    """Make one of what ``load`` returned, and see whether it can be a part of this kind.

    Raises:
        PluginError: it is no class, or what it makes has not all that is ``needed``.
    """
    name = getattr(make, "__name__", repr(make))
    if not callable(make):
        raise PluginError(f"a {kind.word} is a class, not {make!r}")
    try:
        made = make()
    except (Exception, SystemExit) as error:
        raise PluginError(f"{name}() raises {said(error)}") from error
    complete(kind, made, name, needed)


def complete(kind: Kind, found: Any, name: str, needed: Needed) -> None:
    """See whether ``found``, a part called ``name``, has all that is ``needed``.

    Raises:
        PluginError: it has not; the message says all that is missing, or does not fit.
    """
    missing = [attribute for attribute in needed if not hasattr(found, attribute)]
    if missing:
        raise PluginError(f"{name}: a {kind.word} needs {', '.join(missing)}")
    wrong = list(misfits(found, needed))
    if wrong:
        raise PluginError(f"{name}: {'; '.join(wrong)}")


def misfits(found: Any, needed: Needed) -> Iterator[str]:
    """Yield what is wrong with each attribute, and each operation that cannot be called as it is.

    Args:
        found: a part, or the class of one whose objects will be called.
        needed: only what ``found`` has.
    """
    for name, parameters in needed.items():
        operation = getattr(found, name)
        if not isinstance(parameters, str):
            if not isinstance(operation, parameters):
                yield f"{name} must be a {parameters.__name__} (got {operation!r})"
            continue
        if not callable(operation):
            yield f"{name} is no function"
            continue
        count = len(parameters.split(", ")) if parameters else 0
        if isinstance(found, type) and inspect.isfunction(inspect.getattr_static(found, name)):
            count += 1  # self
        if not takes(operation, count):
            yield f"{name} must take {parameters or 'no arguments'}"


def strangers(make: type, base: type, known: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong with functions of a class that nobody will ever call.

    What is like a name of ``known`` and is used by no function of its module was meant to be that:
    a helper of the author's own is used, whatever it is called.

    Args:
        base: what it derives from; what that has is looked at elsewhere.
        known: names of the operations that are called.
    """
    names = list(known)
    own = [each for each in make.__mro__ if each not in base.__mro__]
    used: set[str] = set()
    for module in {each.__module__: None for each in own}:
        for value in list(vars(sys.modules[module]).values()) if module in sys.modules else ():
            for each in (value, *vars(value).values()) if isinstance(value, type) else (value,):
                _words(getattr(getattr(each, "__func__", each), "__code__", None), used)
    seen: dict[str, None] = {}
    for each in own:
        seen.update(dict.fromkeys(key for key, value in vars(each).items() if _is_function(value)))
    for name in seen:
        if name.startswith("_") or hasattr(base, name) or name in used:
            continue
        near = difflib.get_close_matches(name, names, n=1)
        if near:
            yield f"{name} is called by nobody (did you mean {near[0]}?)"


def _is_function(value: Any) -> bool:
    return inspect.isfunction(value) or isinstance(value, (staticmethod, classmethod))


def _words(code: Any, used: set[str]) -> None:
    """Add to ``used`` the names and texts that a function, and those inside it, have."""
    if not inspect.iscode(code):
        return
    used.update(code.co_names)
    for each in code.co_consts:
        if isinstance(each, str):
            used.add(each)
        else:
            _words(each, used)


def takes(function: Any, count: int) -> bool:
    """Tell whether a function can be called with so many arguments, in their order."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of C, which says nothing
        return True
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _line(file: str, error: BaseException) -> str:
    """Return FILE:LINE of where in ``file`` an exception was raised last."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{file}:{line}" if line else file


def failure(error: BaseException) -> str | None:
    """Return whose part an exception was raised in last, where, and what; None: in none.

    The kernel calls parts, and they call the kernel: the last one of the traceback is to blame.
    """
    found, trace = None, error.__traceback__
    while trace is not None:
        kind = _kind_of(str(trace.tb_frame.f_globals.get("__name__", "")))
        if kind is not None:
            where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
            found = f"the {kind.word} fails: {where}: {said(error)}"
        trace = trace.tb_next
    if found is None:
        return _answered(error)
    return found


def _answered(error: BaseException) -> str | None:
    """Return the same for an answer that is none: its operation has returned already."""
    operation = inspect.unwrap(getattr(error, "operation", None) or said)
    code = getattr(operation, "__code__", None)
    kind = _kind_of(str(getattr(operation, "__module__", "")))
    if kind is None or code is None:
        return None
    where = f"{Path(code.co_filename).name}:{code.co_firstlineno}"
    return f"the {kind.word} fails: {where}: {said(error)}"


def _kind_of(module: str) -> Kind | None:
    """Return what the module of that name is a part of, if it is one from outside."""
    for kind in KINDS:
        if module.startswith(kind.prefix):
            return kind
    return _installed_modules.get(module)


def own_parts(named: Iterable[tuple[Kind, str]]) -> str:
    """Return in words which of a run's parts are from outside; "" if none is.

    Args:
        named: kind and name of each.
    """
    return " and ".join(
        f"the {kind.word} {Path(name).name}"
        for kind, name in named
        if is_file(name) or is_installed(kind, name)
    )


def installed(group: str) -> "EntryPoints":
    """Return the entry points of a group."""
    return _installed(group, tuple(sys.path))


@lru_cache(64)
def _installed(group: str, _where: tuple[str, ...]) -> "EntryPoints":
    """Look for entry points: all packages are read, so a sweep does it once, not at each point."""
    from importlib.metadata import entry_points  # dear, and few runs have a part from outside

    return entry_points(group=group)


def points(kind: Kind) -> "list[EntryPoint]":
    """Return the entry points of a kind."""
    return [*installed(kind.group), *(installed(kind.also) if kind.also else ())]


def is_installed(kind: Kind, name: str) -> bool:
    """Tell whether a part of this kind and name is installed."""
    return any(name == point.name for point in points(kind))


def installed_names(kind: Kind) -> list[str]:
    """Return the names of the parts of this kind that are installed."""
    return sorted({point.name for point in points(kind)})
