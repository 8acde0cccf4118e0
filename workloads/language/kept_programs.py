"""Compiled programs kept on disk: a program that has not changed since starts at once.

A file holds plain data and the code object of the blocks, as ``marshal`` writes them. Its name is a
hash of all that it was made from: the text of the program and its path, all of this package, the
kernel's constants (some are compiled in), and the interpreter. So nothing is ever looked at that
another version made, and nothing needs to be thrown away but for space.

``marshal`` makes whatever code object a file describes. That is safe for the reason for which
``__pycache__`` is: only who can already run code as this user can write there. So the folder must
be the user's own, with no one else allowed to write into it; a file says how long it is and has a
checksum of its content, since ``marshal`` does not survive a damaged one. What such a file says is
code of blocks that has passed the checker; it is run as that, with no builtins.

Nothing is kept before ``keep_in`` has been called: what a test or a library does stays in memory.
"""

import contextlib
import functools
import hashlib
import marshal
import os
import stat
import sys
from pathlib import Path
from typing import Any, Final

import kernel.uapi

_MAGIC: Final = b"smplab program 1\n"
_MOST: Final = 512  # files; more than that, and the older half goes
_SUM_BYTES: Final = 32

_folder: Path | None = None


def keep_in(folder: Path) -> None:
    """Keep compiled programs in a folder from now on, if it can be made, and is the user's own."""
    global _folder
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        if found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o022:
            _folder = folder


def load(source: str, path: str) -> Any:
    """Return what was kept for a text under a path, or None."""
    if _folder is None:
        return None
    with contextlib.suppress(OSError, ValueError, EOFError, TypeError):
        data = (_folder / _name(source, path)).read_bytes()
        start = len(_MAGIC) + _SUM_BYTES
        if data[: len(_MAGIC)] == _MAGIC:
            body = data[start:]
            if hashlib.sha256(body).digest() == data[len(_MAGIC) : start]:
                return marshal.loads(body)
    return None


def save(source: str, path: str, program: Any) -> None:
    """Keep a program for the next time; what cannot be written is not kept.

    Args:
        source: the text.
        path: the file name that the compiler was given.
        program: plain data and code objects.
    """
    if _folder is None:
        return
    with contextlib.suppress(OSError, ValueError):
        body = marshal.dumps(program)
        name = _name(source, path)
        beside = _folder / f".{name}.{os.getpid()}"
        try:
            beside.write_bytes(_MAGIC + hashlib.sha256(body).digest() + body)
            beside.replace(_folder / name)
        finally:
            beside.unlink(missing_ok=True)
        _make_room(_folder)


def _name(source: str, path: str) -> str:
    digest = hashlib.sha256(_language())
    for text in (path, source):
        data = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d\0" % len(data))
        digest.update(data)
    return digest.hexdigest()


@functools.cache
def _language() -> bytes:
    """Return a hash of what turns texts into programs."""
    digest = hashlib.sha256(sys.version.encode())
    for folder in (Path(__file__).parent, *map(Path, kernel.uapi.__path__)):
        for file in sorted(folder.rglob("*.py")):
            data = file.read_bytes()
            digest.update(f"{file.name}\0{len(data)}\0".encode())
            digest.update(data)
    return digest.digest()


def _make_room(folder: Path) -> None:
    """Remove the older half of the files if there are too many."""
    files = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    if len(files) > _MOST:
        files.sort(key=lambda entry: entry.stat().st_mtime)
        for entry in files[: len(files) // 2]:
            os.unlink(entry.path)
