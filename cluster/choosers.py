"""Choosers from outside: found by name and made known to the kernel's driver.

``sync.tie_break`` names who decides how kernel paths take turns: one of ``kernel.drive.chooser``,
an installed one (entry points of the group ``smplab.choosers``, NAME = MODULE:CLASS), or a file's,
``FILE.py:CLASS``. The kernel itself opens no files, so the process that holds it calls
``load_chooser`` first.
"""

from collections.abc import Callable
from importlib import util as importing
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from cluster.sync.scheme import is_file
from kernel.drive.chooser import Chooser, chooser_names, register_chooser

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

GROUP: Final = "smplab.choosers"


class ChooserError(Exception):
    """A chooser cannot be had; the message is one line."""


def load_chooser(name: str) -> None:
    """Make sure that the kernel knows the chooser ``name``.

    Raises:
        ChooserError: there is none, or it cannot be loaded.
    """
    if name in chooser_names():
        return
    try:
        if is_file(name):
            register_chooser(name, _from_file(name))
            return
        for point in _installed().select(name=name):
            register_chooser(name, cast("Callable[[], Chooser]", point.load()))
            return
    except ChooserError:
        raise
    except Exception as error:
        raise ChooserError(f"{name}: {type(error).__name__}: {error}") from error
    raise ChooserError(f"there is no chooser {name!r} (there is: {', '.join(all_names())})")


def is_installed(name: str) -> bool:
    """Tell whether a chooser of this name is installed."""
    return name in _installed().names


def all_names() -> list[str]:
    """Return the names of all choosers that can be had by name: our own, then those installed."""
    known = chooser_names()
    ours = [name for name in known if not is_file(name)]
    return [*ours, *(name for name in sorted(_installed().names) if name not in known)]


def _installed() -> "EntryPoints":
    from importlib.metadata import entry_points  # dear, and few runs have such a chooser

    return entry_points(group=GROUP)


def _from_file(name: str) -> "Callable[[], Chooser]":
    file, _, attribute = name.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise ChooserError(f"{name}: there is no file {file}")
    spec = importing.spec_from_file_location(f"smplab_chooser_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ChooserError(f"{name}: {file} is no Python file")
    module = importing.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, attribute, None)
    if found is None:
        raise ChooserError(f"{name}: the file has no {attribute}")
    return cast("Callable[[], Chooser]", found)
