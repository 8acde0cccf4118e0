"""Parts from outside the project: classes that a file has, or that are installed.

A name is that of an entry point, or ``FILE.py:CLASS``. What is loaded is Python code of the user's
own, and runs with the user's rights.
"""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints


class PluginError(Exception):
    """A file does not have what its name promises; the message is one line."""


def is_file(name: str) -> bool:
    """Tell whether a name is ``FILE.py:CLASS``."""
    return name.rpartition(":")[0].endswith(".py")


def place_of(name: str, folder: Path) -> str:
    """Return ``name`` with the file it may name taken from ``folder``."""
    if not is_file(name):
        return name
    file, _, attribute = name.rpartition(":")
    return f"{(folder / file).resolve()}:{attribute}"


def from_file(name: str) -> Any:
    """Return the class that ``name``, ``FILE.py:CLASS``, stands for.

    Raises:
        PluginError: there is no such file, or it has no such name.
        Exception: whatever running the file raises.
    """
    file, _, attribute = name.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise PluginError(f"there is no file {file}")
    spec = importlib.util.spec_from_file_location(f"smplab_plugin_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, attribute, None)
    if found is None:
        raise PluginError(f"the file has no {attribute}")
    return found


def installed(group: str) -> "EntryPoints":
    """Return the entry points of a group."""
    from importlib.metadata import entry_points  # dear, and few runs have a part from outside

    return entry_points(group=group)
