"""The key of a set of files, known from their state as long as nobody has touched them.

Reading the state of some hundred files takes a tenth of the time that reading them does. The state
has their times of change, which no program can set.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

# a file that was changed less than that before it was read may change again without another time
_SETTLED_NS: Final = 2_000_000_000


class Seen:
    """The key as it was when it was computed last, in a file beside the builds it belongs to.

    It is kept only if all files had been left alone for longer than times of change are coarse, by
    the clock of their file system.

    Args:
        builds: a folder, made if it is not there.
        files: what the key depends on, in a fixed order.
        also: what else it depends on, as one line.
    """

    def __init__(self, builds: Path, files: Iterable[str], also: str) -> None:
        self._file = builds / f".seen-{sys.implementation.cache_tag}"
        self._newest_ns = 0
        self._state = "\n".join((also, *map(self._line, files)))

    def key(self, compute: Callable[[], str]) -> str:
        """Return the key of the files as they are now, computed from their content if need be."""
        with contextlib.suppress(OSError, ValueError):
            known, _, seen = self._file.read_text("utf-8").partition("\n")
            if seen == self._state:
                return known
        found = compute()
        with contextlib.suppress(OSError):
            self._keep(found)
        return found

    def _line(self, path: str) -> str:
        stat = os.stat(path)
        self._newest_ns = max(self._newest_ns, stat.st_ctime_ns)
        times = f"{stat.st_mtime_ns} {stat.st_ctime_ns}"
        return f"{path} {stat.st_size} {times} {stat.st_ino} {stat.st_dev}"

    def _keep(self, found: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            beside.write_text(f"{found}\n{self._state}", "utf-8")
            if self._newest_ns < beside.stat().st_mtime_ns - _SETTLED_NS:
                beside.replace(self._file)
        finally:
            beside.unlink(missing_ok=True)


def source_files(folder: str) -> Iterator[str]:
    """Yield the source files below a folder, in a fixed order."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from source_files(entry.path)
        elif entry.name.endswith(".py"):
            yield entry.path
