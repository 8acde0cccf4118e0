"""Choosers from outside: found by name and made known to the kernel's driver.

``sync.tie_break`` names who decides how kernel paths take turns: one of ``kernel.drive.chooser``,
an installed one (entry points of the group ``smplab.choosers``, NAME = MODULE:CLASS), or a file's,
``FILE.py:CLASS``. The kernel itself opens no files, so the process that holds it calls
``load_chooser`` first.
"""

from collections.abc import Callable
from typing import Final, cast

from cluster.plugins import PluginError, from_file, installed, is_file
from kernel.drive.chooser import Chooser, chooser_names, register_chooser

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
            register_chooser(name, cast("Callable[[], Chooser]", from_file(name)))
            return
        for point in installed(GROUP).select(name=name):
            register_chooser(name, cast("Callable[[], Chooser]", point.load()))
            return
    except PluginError as error:
        raise ChooserError(f"{name}: {error}") from None
    except Exception as error:
        raise ChooserError(f"{name}: {type(error).__name__}: {error}") from error
    raise ChooserError(f"there is no chooser {name!r} (there is: {', '.join(all_names())})")


def is_installed(name: str) -> bool:
    """Tell whether a chooser of this name is installed."""
    return name in installed(GROUP).names


def all_names() -> list[str]:
    """Return the names of all choosers that can be had by name: our own, then those installed."""
    known = chooser_names()
    ours = [name for name in known if not is_file(name)]
    return [*ours, *(name for name in sorted(installed(GROUP).names) if name not in known)]
