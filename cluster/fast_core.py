"""Finds the compiled core and puts it where ``import kernel`` meets it first.

``kernel/`` is pure Python and always runs as such. ``cluster.compile_core`` can also compile it;
what it makes is an import root of its own, ``build/fast/<key>/``, with a copy of the package in
which the hot modules are extension modules. The working tree itself never holds one. Of a package
that is installed the builds are in the user's cache, ``~/.cache/smplab/fast``.

``<key>`` is a hash of every source file of the package, of the recipe and of the interpreter. A
build whose key is not that of the tree as it is now is not looked at: after any edit the pure code
runs until the next build, so a stale binary cannot stand in for newer source. The hash is not
computed at every start: beside the builds lies the state of all source files (size, times and inode
numbers) at the time when it was, and while that is theirs it is the hash (``_Seen``).

The variable SMPLAB_CORE says what a process uses, decided when ``cluster`` is first imported, and
child processes (Ray's on this host too) inherit it:

=========== ========================================================================
auto        the compiled core if there is one for this source, else the pure one
compiled    the same, but its absence is an error
pure        the source as it stands
not set     auto
=========== ========================================================================

A process that has imported ``kernel`` before ``cluster`` keeps what it has. Results do not depend
on the choice: both cores give the same bytes.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final

VARIABLE: Final = "SMPLAB_CORE"
MODES: Final = ("auto", "compiled", "pure")
ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = "kernel"
HOW: Final = "smplab compile"
_RECIPE: Final = Path(__file__).with_name("compile_core.py")
# a file that was changed less than that before it was read may change again without another time
_SETTLED_NS: Final = 2_000_000_000


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
    import hashlib  # OpenSSL comes with it, and most starts do not need it

    root = root or ROOT
    digest = hashlib.sha256(_RECIPE.read_bytes())
    for path in sorted((root / PACKAGE).rglob("*.py")):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode())
        digest.update(data)
    digest.update(f"{sys.version}\0{EXTENSION_SUFFIXES[0]}".encode())
    return digest.hexdigest()[:20]


def find() -> Path | None:
    """Return the import root that was built from the sources as they are, or None."""
    builds = builds_dir()
    if not builds.is_dir():
        return None  # nothing was ever built: do not read the sources
    path = builds / _Seen(builds).key()
    return path if path.is_dir() else None


class _Seen:
    """The key of the sources as they were when it was computed last, in a file beside the builds.

    Reading the state of some hundred files takes a tenth of the time that reading them does. The
    state has their times of change, which no program can set. It is kept only if all files had
    been left alone for longer than such times are coarse, by the clock of their file system.

    Args:
        builds: the folder of the builds, which exists.
    """

    def __init__(self, builds: Path) -> None:
        self._file = builds / f".seen-{sys.implementation.cache_tag}"
        self._newest_ns = 0

    def key(self) -> str:
        """Return the key of the sources as they are now."""
        state = "\n".join(self._state())
        with contextlib.suppress(OSError, ValueError):
            known, _, seen = self._file.read_text("utf-8").partition("\n")
            if seen == state:
                return known
        found = key()
        with contextlib.suppress(OSError):
            self._keep(found, state)
        return found

    def _state(self) -> Iterator[str]:
        """Yield a line for the interpreter, and one for each file that the key depends on."""
        yield f"{sys.version!r} {EXTENSION_SUFFIXES[0]}"
        for path in (str(_RECIPE), *_files(str(ROOT / PACKAGE))):
            stat = os.stat(path)
            self._newest_ns = max(self._newest_ns, stat.st_ctime_ns)
            times = f"{stat.st_mtime_ns} {stat.st_ctime_ns}"
            yield f"{path} {stat.st_size} {times} {stat.st_ino} {stat.st_dev}"

    def _keep(self, found: str, state: str) -> None:
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            beside.write_text(f"{found}\n{state}", "utf-8")
            if self._newest_ns < beside.stat().st_mtime_ns - _SETTLED_NS:
                beside.replace(self._file)
        finally:
            beside.unlink(missing_ok=True)


def _files(folder: str) -> Iterator[str]:
    """Yield the source files below a folder, in a fixed order."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry.path)
        elif entry.name.endswith(".py"):
            yield entry.path


def activate() -> None:
    """Put the compiled core on ``sys.path`` if SMPLAB_CORE asks for it and it is there.

    Never fails, since it runs when ``cluster`` is imported: ``problem`` tells.
    """
    if os.environ.get(VARIABLE, "auto") not in ("auto", "compiled") or PACKAGE in sys.modules:
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
    mode = os.environ.get(VARIABLE, "auto")
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
