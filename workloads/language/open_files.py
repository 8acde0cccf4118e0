"""Files that are left: closed with their last reference, flushed at the end of a process.

Global 5 has the open files: when only it refers to one, CPython's last reference has gone.
"""

import sys
from typing import Any, Final

from workloads.language.file_states import Values
from workloads.language.frames import CALL, RETURN, Frame
from workloads.language.library import give_back, library
from workloads.language.scopes import FILES, STDIO
from workloads.language.streams import arguments, report
from workloads.language.values import FileHandle


def io_register(G: Values, handle: FileHandle) -> None:
    """Note an open file: it is closed when nobody refers to it any more, or at exit."""
    if G[FILES] is None:
        G[FILES] = []
    G[FILES].append(handle)


def dropped(files: list[FileHandle]) -> list[FileHandle]:
    """Take out of ``files`` what is closed or what only ``files`` refers to; return the latter.

    The references are the host's: the values of a guest are CPython's own, so its count of them
    is the one that a CPython running the program would have.
    """
    found: list[FileHandle] = []
    count = sys.getrefcount
    for place in range(len(files) - 1, -1, -1):
        handle = files[place]
        if handle.closed:
            del files[place]
        elif count(handle) <= _NOBODY:
            del files[place]
            found.insert(0, handle)
    return found


_NOBODY: Final = 3  # the list, our variable, the argument of getrefcount


def _drop_next(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if L[1] < len(L[0]):
        handle = L[0][L[1]]
        L[1] += 1
        is_text = handle.kind == "TextIOWrapper"
        code, values = arguments(G, "drop", handle.state, is_text)
        return (CALL, code, values)
    L[0] = None
    if L[2] is None:
        return (RETURN, L[3])
    F.pc = 1
    return L[2]


#: What the last reference to a file does, then an op, or a value that a call had
DROP: Final = library("drop", (_drop_next, -1), (give_back, -1), interruptible=False)


def _unflushed(handle: Any) -> bool:
    if type(handle) is not FileHandle or handle.closed:
        return False
    state = handle.state
    b = state["b"]
    return bool(state["pending"]) or (b["kind"] != "FileIO" and b["write_end"] > b["write_pos"])


def _end_flush(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # Source: CPython Python/pylifecycle.c:flush_std_files()
    while L[1] < 3:
        handle = G[STDIO + L[1]]
        L[1] += 1
        if _unflushed(handle):
            F.pc = 1
            code, values = arguments(G, "flush_at_exit", handle.state)
            return (CALL, code, values)
    F.pc = 3
    return (CALL, DROP, [_left(G), 0, None, None])


def _end_flushed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if V is None:
        return 0
    L[0] = 120
    if L[1] != 2:  # of standard error nobody hears
        return 0
    name = type(V).__name__
    text = f"{name}: {V}" if str(V) else name
    op = report(G, [f"Exception ignored in: {G[STDIO + 1]!r}\n", f"{text}\n"])
    F.pc = 2
    return 0 if op is None else op


def _end_again(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return 0


def _end_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, L[0])


def _left(G: Values) -> list[FileHandle]:
    """Return the files that are still open, the standard ones with something in them last."""
    files = [handle for handle in G[FILES] or () if not handle.closed]
    G[FILES] = None
    return files + [G[STDIO + fd] for fd in (1, 2) if _unflushed(G[STDIO + fd])]


#: [exit code, 1]: what the end of the interpreter does with files; returns the exit code
END: Final = library(
    "end", (_end_flush, 2), (_end_flushed, 2), (_end_again, -1), (_end_done, 3), interruptible=False
)


def _flush_next(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # Source: CPython Python/pythonrun.c:flush_io()
    while L[0] > 0:
        handle = G[STDIO + L[0]]
        L[0] -= 1
        if _unflushed(handle):
            code, values = arguments(G, "flush_at_exit", handle.state)
            return (CALL, code, values)
    return (RETURN, None)


#: [2]: flushes standard error, then standard output, whatever becomes of it
FLUSH: Final = library("flush", (_flush_next, -1), interruptible=False)


def anything_open(G: Values) -> bool:
    """Return whether the end of the process has anything to do with files."""
    return bool(G[FILES]) or _unflushed(G[STDIO + 1]) or _unflushed(G[STDIO + 2])
