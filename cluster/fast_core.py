"""Finds the compiled core and puts it where ``import kernel`` meets it first.

``kernel/`` is pure Python and always runs as such. ``cluster.compile_core`` can also compile it;
what it makes is an import root of its own, ``build/fast/<key>/``, with a copy of the package in
which the hot modules are extension modules. The working tree itself never holds one. Of a package
that is installed the builds are in the user's cache, ``~/.cache/smplab/fast``.

``<key>`` is a hash of every source file of the package, of the recipe and of the interpreter. A
build whose key is not that of the tree as it is now is not looked at: after any edit the pure code
runs until the next build, so a stale binary cannot stand in for newer source.

The variable SMPLAB_CORE says what a process uses, decided when ``cluster`` is first imported, and
child processes (Ray's on this host too) inherit it:

=========== ========================================================================
auto        the compiled core if there is one for this source, else the pure one
compiled    the same, but its absence is an error
pure        the source as it stands
not set     pure; the command ``smplab`` sets auto
=========== ========================================================================

A process that has imported ``kernel`` before ``cluster`` keeps what it has. Results do not depend
on the choice: both cores give the same bytes.
"""

import contextlib
import hashlib
import os
import sys
import sysconfig
from pathlib import Path
from typing import Final

VARIABLE: Final = "SMPLAB_CORE"
MODES: Final = ("auto", "compiled", "pure")
ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = "kernel"
HOW: Final = "smplab compile"


def in_source_tree() -> bool:
    """Say whether this is a source tree, not an installed package."""
    return (ROOT / "pyproject.toml").is_file()


def builds_dir() -> Path:
    """Return the folder that holds one import root per build."""
    if in_source_tree():
        return ROOT / "build" / "fast"
    cache = os.environ.get("XDG_CACHE_HOME", "")  # a relative one is to be ignored, says XDG
    base = Path(cache) if os.path.isabs(cache) else Path(os.path.expanduser("~"), ".cache")
    return base / "smplab" / "fast"


def sources() -> list[Path]:
    """Return the source files of the package, in a fixed order."""
    return sorted((ROOT / PACKAGE).rglob("*.py"))


def key(root: Path | None = None) -> str:
    """Return the key of a build of the package in ``root``, for the running interpreter.

    Args:
        root: the folder that holds the package; None: this source tree.
    """
    root = root or ROOT
    digest = hashlib.sha256(Path(__file__).with_name("compile_core.py").read_bytes())
    for path in sorted((root / PACKAGE).rglob("*.py")):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode())
        digest.update(data)
    digest.update(f"{sys.version}\0{sysconfig.get_config_var('EXT_SUFFIX')}".encode())
    return digest.hexdigest()[:20]


def find() -> Path | None:
    """Return the import root that was built from the sources as they are, or None."""
    builds = builds_dir()
    if not builds.is_dir():
        return None  # nothing was ever built: do not read the sources
    path = builds / key()
    return path if path.is_dir() else None


def activate() -> None:
    """Put the compiled core on ``sys.path`` if SMPLAB_CORE asks for it and it is there.

    Never fails, since it runs when ``cluster`` is imported: ``problem`` tells.
    """
    if os.environ.get(VARIABLE) not in ("auto", "compiled") or PACKAGE in sys.modules:
        return
    root = find()
    if root is None or str(root) in sys.path:
        return
    sys.path.insert(0, str(root))
    if not in_source_tree():
        with contextlib.suppress(OSError):
            os.utime(root)  # cluster.compile_core removes builds that nobody has used for long


def problem() -> str:
    """Return in one line why SMPLAB_CORE is not obeyed, or an empty string."""
    mode = os.environ.get(VARIABLE, "pure")
    if mode not in MODES:
        return f"{VARIABLE} is {mode!r}: it must be one of {', '.join(MODES)}"
    if mode == "compiled" and core() != "compiled":
        return f"{VARIABLE} is 'compiled', but the source as it is now is not: run {HOW}"
    return ""


def core() -> str:
    """Return which core this process uses or would import now: ``compiled`` or ``pure``."""
    package = sys.modules.get(PACKAGE)
    places = sys.path[:1] if package is None else [str(Path(package.__path__[0]).parent)]
    builds = str(builds_dir()) + os.sep
    return "compiled" if any(place.startswith(builds) for place in places) else "pure"
