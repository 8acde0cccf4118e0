"""``os.path``, the exec family and other functions that os.py and posixpath.py write in Python.

Source: CPython Lib/os.py, Lib/posixpath.py, Lib/genericpath.py.
Deviation: islink() asks readlink(2), where CPython asks lstat(2).
"""

import posixpath
from typing import Any, Final

from kernel.uapi import syscalls as nr
from kernel.uapi.fcntl import S_IFDIR, S_IFMT, S_IFREG
from workloads.language import conversions, library, process_calls
from workloads.language.bounded import tname
from workloads.language.constants import ERRORCODE, STRERROR
from workloads.language.environment import environ_copy
from workloads.language.frames import CALL, RERAISE, RETURN, VALUE, Frame
from workloads.language.library import library as frame

Values = list[Any]


def _text(path: Any) -> Any:
    """Return ``os.fspath(path)``."""
    if type(path) not in (str, bytes):
        raise TypeError(f"expected str, bytes or os.PathLike object, not {tname(path)}")
    return path


# ---- what needs no system call ------------------------------------------------------------------


def path_dirname(G: Values, p: Any) -> Any:
    """Return ``os.path.dirname(path)``."""
    return posixpath.dirname(_text(p))


def path_split(G: Values, p: Any) -> Any:
    """Return ``os.path.split(path)``."""
    return posixpath.split(_text(p))


def path_splitext(G: Values, p: Any) -> Any:
    """Return ``os.path.splitext(path)``."""
    return posixpath.splitext(_text(p))


def path_isabs(G: Values, s: Any) -> bool:
    """Return ``os.path.isabs(path)``."""
    return posixpath.isabs(_text(s))


def path_normpath(G: Values, path: Any) -> Any:
    """Return ``os.path.normpath(path)``."""
    return posixpath.normpath(_text(path))


def path_normcase(G: Values, s: Any) -> Any:
    """Return ``os.path.normcase(path)``."""
    return _text(s)


def path_expanduser(G: Values, path: Any) -> Any:
    """Source: Lib/posixpath.py:expanduser(); other users' homes are not known."""
    text = _text(path)
    if type(text) is not str or not text.startswith("~") or text[1:2] not in ("", "/"):
        return text
    home = environ_copy(G).get("HOME", "/root").rstrip("/")
    return (home + text[1:]) or "/"


def path_join_any(G: Values, a: Any, *p: Any) -> Any:
    """Return ``os.path.join`` of texts or of bytes."""
    _text(a)
    for part in p:
        if type(part) is not type(a):
            if type(part) in (str, bytes):
                raise TypeError("Can't mix strings and bytes in path components") from None
            raise TypeError(
                f"join() argument must be str, bytes, or os.PathLike object, not {tname(part)!r}"
            )
    return posixpath.join(a, *p)


# ---- what asks for a file: [path, which question] -----------------------------------------------


def _stat_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    if L[1] == "link":
        return (nr.NR_READLINK, L[0])
    return (nr.NR_FSTAT if type(L[0]) is int else nr.NR_STAT, L[0])


def _stat_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if L[1] in ("file", "dir"):
        wanted = S_IFREG if L[1] == "file" else S_IFDIR
        return (RETURN, V[0] & S_IFMT == wanted)
    if L[1] == "size":
        return (RETURN, V[6])
    if L[1] in ("atime", "mtime", "ctime"):
        return (RETURN, conversions.stat_result(V).st_mtime)
    return (RETURN, True)


def _stat_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if isinstance(V, OSError) and L[1] in ("file", "dir", "link", "exists"):
        return (RETURN, False)
    return (RERAISE, V)


_STAT: Final = frame("stat", (_stat_call, 2), (_stat_done, 2), (_stat_failed, -1))


def _ask(path: Any, question: str) -> Any:
    if isinstance(path, int):
        return (CALL, _STAT, [int(path), question])
    if type(path) is bytes:
        path = path.decode(errors="surrogateescape")
    if type(path) is not str:
        what = "stat: path should be string, bytes, os.PathLike or integer"
        raise TypeError(f"{what}, not {tname(path)}")
    if "\0" in path:
        if question in ("size", "mtime"):
            raise ValueError("embedded null byte")
        return (VALUE, False)
    return (CALL, _STAT, [path, question])


def path_isfile(G: Values, path: Any) -> Any:
    """Begin ``os.path.isfile``."""
    return _ask(path, "file")


def path_isdir(G: Values, s: Any) -> Any:
    """Begin ``os.path.isdir``."""
    return _ask(s, "dir")


def path_islink(G: Values, path: Any) -> Any:
    """Begin ``os.path.islink``."""
    return _ask(path, "link")


def path_getsize(G: Values, filename: Any) -> Any:
    """Begin ``os.path.getsize``."""
    return _ask(filename, "size")


def path_getmtime(G: Values, filename: Any) -> Any:
    """Begin ``os.path.getmtime``."""
    return _ask(filename, "mtime")


# ---- abspath: [path]; relpath -------------------------------------------------------------------


def _cwd_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_GETCWD,)


def _cwd_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    full = [posixpath.normpath(posixpath.join(V, part)) for part in L[0]]
    if len(full) == 1:
        return (RETURN, full[0])
    return (RETURN, posixpath.relpath(full[0], full[1]))


#: [paths]: the absolute path of one, or the first seen from the second
_ABSOLUTE: Final = frame("abspath", (_cwd_call, -1), (_cwd_done, -1))


def path_abspath(G: Values, path: Any) -> Any:
    """Begin ``os.path.abspath``, which may ask for the working directory."""
    text = _text(path)
    if type(text) is bytes:
        text = text.decode(errors="surrogateescape")
    if text.startswith("/"):
        return (VALUE, posixpath.normpath(text))
    return (CALL, _ABSOLUTE, [[text]])


def path_relpath(G: Values, path: Any, start: Any) -> Any:
    """Begin ``os.path.relpath``, which may ask for the working directory."""
    if not path:
        raise ValueError("no path specified")
    return (CALL, _ABSOLUTE, [[_text(path), "." if start is None else _text(start)]])


# ---- the exec family ----------------------------------------------------------------------------


def _below(entries: tuple[tuple[str, int], ...], op: Any) -> Any:
    """Return an op that is made by functions of os.py, inner first."""
    return (CALL, library.OS_PY, [entries, op])


def os_execl(G: Values, file: Any, *args: Any) -> Any:
    """Begin ``os.execl``."""
    path = conversions.as_path(file, "execv: path should be string, bytes or os.PathLike")
    return _below((("execl", 542),), process_calls.os_execv(G, path, args))


def os_execle(G: Values, file: Any, *args: Any) -> Any:
    """Begin ``os.execle``: the environment is the last argument."""
    env = args[-1]
    path = conversions.as_path(file, "execve: path should be string, bytes, os.PathLike or integer")
    return _below((("execle", 550),), process_calls.os_execve(G, path, args[:-1], env))


def os_execlp(G: Values, file: Any, *args: Any) -> Any:
    """Begin ``os.execlp``."""
    return _below((("execlp", 557),), process_calls.os_execvp(G, conversions.as_path(file), args))


def os_execlpe(G: Values, file: Any, *args: Any) -> Any:
    """Begin ``os.execlpe``: the environment is the last argument."""
    env = args[-1]
    return _below((("execlpe", 566),), os_execvpe(G, conversions.as_path(file), args[:-1], env))


def os_execvpe(G: Values, file: str, args: Any, env: Any) -> Any:
    """Begin ``os.execvpe``: searches the PATH of the environment it is given."""
    if "/" in file:
        entries = (("_execvpe", 597), ("execvpe", 583))
        return _below(entries, process_calls.os_execve(G, file, args, env))
    argv = conversions.argv_of(args, "execve: argv")
    tail = (argv, conversions.env_of(env))
    path = (
        env.get("PATH", process_calls.DEFAULT_PATH)
        if type(env) is dict
        else process_calls.DEFAULT_PATH
    )
    found = tuple([posixpath.join(conversions.as_path(d), file) for d in path.split(":")])
    search = (CALL, library.SEARCH, [found, 0, tail, None, nr.NR_EXECVE])
    return _below((("execvpe", 583),), search)


# ---- others -------------------------------------------------------------------------------------


def os_strerror(G: Values, code: int) -> str:
    """Return ``os.strerror(code)``."""
    return "Success" if code == 0 else STRERROR.get(code, f"Unknown error {code}")


def errno_errorcode(G: Values) -> dict[int, str]:
    """Return a new dict: nobody sees that it is not the same each time, but by changing it."""
    return dict(ERRORCODE)
