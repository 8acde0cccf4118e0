"""Finds the compiled core and puts it where ``import kernel`` meets it first.

``kernel/`` is pure Python and always runs as such. ``cluster.compile_core`` can also compile it;
what it makes is an import root of its own, ``build/fast/<key>/``, with the package as
``cluster.core.forms`` writes it, in which the hot modules are extension modules. The working tree
itself never holds one. Of a package that is installed the builds are in the user's cache,
``~/.cache/smplab/fast``; a wheel with the core in it (``cluster.make_wheels``) brings one along, in
``cluster/shipped_core``.

``<key>`` is a hash of every source file of the package, of the recipe and of the interpreter's ABI.
A build whose key is not that of the tree as it is now is not looked at: after any edit the pure
code runs until the next build, so a stale binary cannot stand in for newer source. The hash is not
computed at every start: beside the builds lies the state of all source files (size, times and inode
numbers) at the time when it was, and while that is theirs it is the hash (``cluster.core.seen``).

The variable SMPLAB_CORE says what a process uses, decided when ``kernel`` is first imported after
``cluster``, and child processes (Ray's on this host too) inherit it:

=========== ========================================================================
auto        the compiled core if there is one for this source, else the pure one
compiled    the same, but its absence is an error
pure        Python
not set     auto
=========== ========================================================================

Either core has the quick forms of paths, unless SMPLAB_FORMS is ``off``: ``cluster.core.forms``.

A process that has imported ``kernel`` before ``cluster`` keeps what it has. Results do not depend
on the choice: both cores give the same bytes.
"""

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import Final

from cluster.core import forms
from cluster.core.seen import Seen, source_files

VARIABLE: Final = "SMPLAB_CORE"
MODES: Final = ("auto", "compiled", "pure")
ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = "kernel"
HOW: Final = "smplab compile"
SHIPPED: Final = ROOT / "cluster" / "shipped_core"
_ABI: Final = f"{sys.implementation.cache_tag}{EXTENSION_SUFFIXES[0]}"
_RECIPE: Final = (Path(__file__).with_name("compile_core.py"), *forms.RECIPE)


def in_source_tree() -> bool:
    """Say whether this is a source tree, not an installed package."""
    return forms.in_source_tree(ROOT)


def builds_dir() -> Path:
    """Return the folder that holds one import root per build."""
    return forms.builds_dir(ROOT, "fast")


def programs_dir() -> Path:
    """Return the folder that keeps compiled guest programs."""
    return forms.builds_dir(ROOT, "programs")


def key(root: Path | None = None) -> str:
    """Return the key of a build of the package in ``root``, for the running interpreter.

    Args:
        root: the folder that holds the package; None: this source tree.
    """
    import hashlib  # OpenSSL comes with it, and most starts do not need it

    root = root or ROOT
    digest = hashlib.sha256()
    for path in _RECIPE:
        digest.update(path.read_bytes())
    for path in sorted((root / PACKAGE).rglob("*.py")):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode())
        digest.update(data)
    digest.update(_ABI.encode())
    return digest.hexdigest()[:20]


def find() -> Path | None:
    """Return the import root that was built from the sources as they are, or None."""
    builds = [path for path in (SHIPPED, builds_dir()) if path.is_dir()]
    if not builds:
        return None  # nothing was ever built: do not read the sources
    files = (*map(str, _RECIPE), *source_files(str(ROOT / PACKAGE)))
    now = Seen(builds_dir(), files, _ABI).key(key)
    return next((path / now for path in builds if (path / now).is_dir()), None)


class _OnFirstImport:
    """Chooses the core when ``kernel`` is first looked for, which many a command never does."""

    settled = False

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        """Find nothing, as a finder of modules does that leaves them to the next one."""
        if fullname == PACKAGE:
            settle()


def activate() -> None:
    """Let the first import of ``kernel`` find the core that SMPLAB_CORE asks for."""
    if PACKAGE not in sys.modules and _OnFirstImport not in sys.meta_path:
        sys.meta_path.insert(0, _OnFirstImport)


def settle() -> None:
    """Put the core that is asked for on ``sys.path``: compiled if it is there, with quick forms.

    That is done once, and never fails: ``problem`` tells.
    """
    if _OnFirstImport.settled:
        return
    _OnFirstImport.settled = True
    if PACKAGE in sys.modules or forms.mode() == "off":
        return
    compiled = os.environ.get(VARIABLE, "auto") in ("auto", "compiled")
    root = (find() if compiled else None) or forms.ensure(ROOT)
    if root is None:
        return
    # a spawned process is given the path of the one that spawned it, where it may stand behind
    sys.path[:] = [str(root), *(place for place in sys.path if place != str(root))]
    if not in_source_tree():
        with contextlib.suppress(OSError):
            os.utime(root)  # cluster.compile_core removes builds that nobody has used for long


def problem() -> str:
    """Return in one line why SMPLAB_CORE is not obeyed, or an empty string."""
    mode = os.environ.get(VARIABLE, "auto")
    if mode not in MODES:
        return f"{VARIABLE} is {mode!r}: it must be one of {', '.join(MODES)}"
    if mode == "compiled" and core() != "compiled":
        return f"{VARIABLE} is 'compiled', but the source as it is now is not: run {HOW}"
    return _problem_of_forms(mode)


def _problem_of_forms(core_mode: str) -> str:
    mode = forms.mode()
    if mode not in forms.MODES:
        return f"{forms.VARIABLE} is {mode!r}: it must be one of {', '.join(forms.MODES)}"
    if mode == "off" and core_mode == "compiled":
        return f"{forms.VARIABLE} is 'off', which goes with {VARIABLE}=pure only"
    if mode == "on" and not has_forms():
        why = forms.why_not(ROOT) or f"{PACKAGE} was imported before cluster"
        return f"{forms.VARIABLE} is 'on', but there are no quick forms: {why}"
    return ""


def has_forms() -> bool:
    """Tell whether the core this process uses or would import now has quick forms of paths."""
    return _is_compiled() or _place().startswith(str(forms.builds_dir(ROOT)) + os.sep)


def core() -> str:
    """Return which core this process uses or would import now: ``compiled`` or ``pure``."""
    return "compiled" if _is_compiled() else "pure"


def _is_compiled() -> bool:
    return _place().startswith((str(builds_dir()) + os.sep, str(SHIPPED) + os.sep))


def _place() -> str:
    """Return the import root that ``kernel`` comes from, or would come from now."""
    settle()
    package = sys.modules.get(PACKAGE)
    return sys.path[0] if package is None else str(Path(package.__path__[0]).parent)
