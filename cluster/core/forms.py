"""Keeps an import root in which every module of ``kernel`` has the quick forms of its paths.

The source stays as it is written. What ``cluster.core.twins`` makes of it, and
``cluster.core.folding`` of that, is kept in ``build/forms/<key>/`` (of an installed package in the
user's cache, ``~/.cache/smplab/forms``), and ``cluster.fast_core`` puts that folder where ``import
kernel`` meets it first. What is compiled is not folded: a compiler does that itself.

``<key>`` is a hash of every source file and of the recipe, so another version of the source never
gets it. It is made when it is first wanted, in a folder beside and renamed when it is complete:
several processes may make it at once.

The variable SMPLAB_FORMS says what a process uses:

======= ==================================================================================
auto    quick forms if they are there or can be made, else the paths as they are written;
        also if the variable is not set
on      the same, but their absence is an error
off     the paths as they are written, in pure Python
======= ==================================================================================

Results do not depend on it.
"""

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Final

from cluster.core.seen import Seen, source_files

# What only a build needs is imported in the functions that need it: this module is part of every
# start, and finds a build that is there.

VARIABLE: Final = "SMPLAB_FORMS"
MODES: Final = ("auto", "on", "off")
PACKAGE: Final = "kernel"
RECIPE: Final = tuple(
    Path(__file__).with_name(name)
    for name in ("forms.py", "folding.py", "meanings.py", "paths.py", "twins.py")
)
_KEEP_S: Final = 3600
_KEEP_IN_CACHE_S: Final = 30 * 24 * 3600


def mode() -> str:
    """Return what SMPLAB_FORMS asks for."""
    return os.environ.get(VARIABLE) or "auto"


def builds_dir(root: Path, what: str = "forms") -> Path:
    """Return the folder that holds what is built of the packages in ``root``, by version.

    Args:
        root: the folder of the packages.
        what: forms, fast (the compiled core), or programs (compiled guest programs).
    """
    return (root / "build" if in_source_tree(root) else cache_dir()) / what


def in_source_tree(root: Path) -> bool:
    """Say whether ``root`` is a source tree, not where packages are installed."""
    return (root / "pyproject.toml").is_file()


def cache_dir() -> Path:
    """Return smplab's folder in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME", "")  # a relative one is to be ignored, says XDG
    base = Path(cache) if os.path.isabs(cache) else Path(os.path.expanduser("~"), ".cache")
    return base / "smplab"


def ensure(root: Path) -> Path | None:
    """Return the import root with quick forms for the package in ``root``, made if need be.

    Never fails: where nothing can be written, or the source breaks a rule, there is none.
    """
    builds = builds_dir(root)
    try:
        path = _known(root, builds) if builds.is_dir() else None
        if path is None:
            path = _make(root, builds)
    except Exception:  # whatever it is, the paths run as they are written; ``why_not`` tells
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # builds that nobody has used for long are removed
    return path


def _known(root: Path, builds: Path) -> Path | None:
    """Return the build for the sources as they are now, if it is there."""
    files = (*map(str, RECIPE), *source_files(str(root / PACKAGE)))
    seen = Seen(builds, files, str(sys.version_info[:2]))
    path = builds / seen.key(lambda: _key(read_sources(root)))
    return path if path.is_dir() else None


def why_not(root: Path) -> str:
    """Return in one line why ``ensure`` has nothing, or an empty string."""
    try:
        _make(root, builds_dir(root))
    except Exception as error:
        return f"{type(error).__name__}: " + "; ".join(str(error).splitlines())
    return ""


def read_sources(root: Path) -> dict[str, bytes]:
    """Return the text of every source file of the package by its path below ``root``."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted((root / PACKAGE).rglob("*.py"))
    }


def with_quick_forms(sources: dict[str, bytes]) -> dict[str, bytes]:
    """Return every source file with the quick forms of its paths behind it.

    Args:
        sources: text by path below the import root.

    Raises:
        cluster.core.paths.Refused: a path breaks a rule; the message has all places.
        SyntaxError: a source is not Python.
    """
    from cluster.core.paths import Package
    from cluster.core.twins import with_twins

    names = {name: _module(name) for name in sources}
    package = Package({names[name]: (name, text) for name, text in sources.items()})
    return {name: with_twins(package, package.modules[names[name]]) for name in sources}


def _module(name: str) -> str:
    parts = name.removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def write(files: dict[str, bytes], root: Path) -> None:
    """Write files below ``root`` by their paths."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def _key(sources: dict[str, bytes]) -> str:
    import hashlib

    digest = hashlib.sha256(str(sys.version_info[:2]).encode())
    for path in RECIPE:
        digest.update(path.read_bytes())
    for name, text in sources.items():
        digest.update(f"{name}\0{len(text)}\0".encode())
        digest.update(text)
    return digest.hexdigest()[:20]


def _make(root: Path, builds: Path) -> Path:
    """Return the import root for the sources as they are now, made if it is not there."""
    import tempfile

    from cluster.core.folding import folded

    sources = read_sources(root)
    path = builds / _key(sources)
    if not path.is_dir():
        files = folded(with_quick_forms(sources))
        builds.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="tmp-", dir=builds) as folder:
            made = Path(folder, "root")
            write(files, made)
            _compile(made, path)
            try:
                made.rename(path)
            except OSError:
                if not path.is_dir():  # else a process beside this one was first
                    raise
        remove_old(root, builds, path)
    return path


def _compile(made: Path, path: Path) -> None:
    """Add the byte code of all modules, which nobody looks behind: a build never changes.

    Args:
        made: where the build is now.
        path: where it will be.
    """
    import compileall
    from py_compile import PycInvalidationMode

    compileall.compile_dir(
        made,
        quiet=2,
        stripdir=str(made),
        prependdir=str(path),
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )


def remove_old(root: Path, builds: Path, new: Path) -> None:
    """Remove from ``builds`` what has not been used for long, but ``new``.

    In a source tree an hour is long: some process may have started with it. In the user's cache,
    which several versions share, it is a month.
    """
    import shutil

    keep_s = _KEEP_S if in_source_tree(root) else _KEEP_IN_CACHE_S
    now = time.time()
    for path in builds.iterdir():
        with contextlib.suppress(OSError):
            if path != new and path.is_dir() and now - path.stat().st_mtime > keep_s:
                shutil.rmtree(path, ignore_errors=True)
