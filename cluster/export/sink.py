"""Where an export goes: a file that appears whole or not at all, or a pipe or device as it comes.

A regular file is written beside its place, under a hidden name, and gets its own when all is on the
disk. So whatever happens (a full disk, a damaged trace, Ctrl-C), what was there before is there
still, and nobody reads half of a file.
"""

import errno
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

#: errors of a write that are over when there is room again
FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BUFFER: Final = 1 << 20


class _File(io.FileIO):
    """A file whose errors name what the user asked for."""

    def __init__(self, path: Path | int, asked: str, mode: str) -> None:
        super().__init__(path, mode)
        self.asked = asked

    def write(self, data: Any) -> int:
        """Write as ``io.FileIO`` does."""
        try:
            return super().write(data)
        except OSError as error:
            error.filename = self.asked
            raise


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def is_seekable(path: Path) -> bool:
    """Tell whether what is written to ``path`` can be changed later; ``-`` is standard output."""
    return str(path) != "-" and not _is_special(path)


@contextmanager
def output(path: Path) -> Iterator[BinaryIO]:
    """Let somebody write; give the file its name when all has been written without an error.

    Args:
        path: ``-`` is standard output. A pipe or a device is written as it comes.

    Raises:
        OSError: it cannot be written, and ``filename`` is ``path``; what was there is there still.
    """
    if is_seekable(path):
        if path.is_dir():
            raise IsADirectoryError(21, os.strerror(21), str(path))
        beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        raw = _opened(beside, path, "wb")
    else:
        beside = None
        raw = _File(os.dup(1), "-", "wb") if str(path) == "-" else _opened(path, path, "wb")
    file = io.BufferedWriter(raw, _BUFFER)
    try:
        yield cast(BinaryIO, file)
        file.flush()
        if beside is not None:
            _keep(raw, beside, path)
    except BaseException:
        if beside is not None:
            beside.unlink(missing_ok=True)
        raise
    finally:
        raw.close()  # without what a failed write left in the buffer
        with suppress(ValueError, OSError):
            file.close()


def _opened(path: Path, asked: Path, mode: str) -> _File:
    try:
        return _File(path, str(asked), mode)
    except OSError as error:
        error.filename = str(asked)
        raise


def _keep(raw: io.FileIO, beside: Path, path: Path) -> None:
    try:
        os.fsync(raw.fileno())
        beside.replace(path)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


class Spool:
    """A file without a name, on the disk of an output: for what cannot be put in its place yet."""

    def __init__(self, out: BinaryIO) -> None:
        """Make one for ``out``, which ``output`` opened."""
        raw = getattr(out, "raw", None)
        self._asked = raw.asked if isinstance(raw, _File) else ""
        folder = os.path.dirname(str(out.name)) or "."
        self._file = tempfile.TemporaryFile(dir=folder, buffering=_BUFFER)  # noqa: SIM115
        self._size = 0

    def write(self, data: bytes) -> int:
        """Add ``data``; return where it begins.

        Raises:
            OSError: it cannot be written; ``filename`` is that of the output.
        """
        at = self._size
        self._size += len(data)
        try:
            self._file.write(data)
        except OSError as error:
            error.filename = self._asked
            raise
        return at

    def read(self, at: int, size: int) -> bytes:
        """Return what was written at a place, once all has been written."""
        try:
            self._file.seek(at)
        except OSError as error:  # what was in the buffer is written first
            error.filename = self._asked
            raise
        data: bytes = self._file.read(size)
        return data

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):
            self._file.close()
