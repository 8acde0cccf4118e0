"""The states of file objects, as ``open()`` and the start of a program make them.

Source: CPython Modules/_io/, Python/pylifecycle.c:create_stdio().
"""

from typing import Any, Final

from kernel.uapi.fcntl import O_APPEND, O_CLOEXEC, O_CREAT, O_EXCL, O_RDWR, O_TRUNC, O_WRONLY
from kernel.uapi.start import START_CLOSED, START_TERMINAL, START_UNBUFFERED
from workloads.language.bounded import codec_of, tname
from workloads.language.conversions import as_path
from workloads.language.errors import FatalRunError
from workloads.language.scopes import START, STDIO
from workloads.language.values import UNBOUND, FileHandle

Values = list[Any]
State = dict[str, Any]

_BLKSIZE: Final = 4096  # st_blksize of pipes and files
_TERMINAL_BLKSIZE: Final = 1024
_NAMES: Final = ("<stdin>", "<stdout>", "<stderr>")
_ERRORS: Final = ("strict", "ignore", "replace", "backslashreplace", "surrogateescape")


def _raw(fd: int, name: Any, mode: str, closefd: bool, own: bool) -> State:
    return {
        "kind": "FileIO",
        "fd": fd,
        "name": name,
        "mode": mode,
        "readable": "r" in mode or "+" in mode,
        "writable": "r" not in mode or "+" in mode,
        "appending": "a" in mode,
        "closefd": closefd,
        "own": own,
        "seekable": None,
        "blksize": _BLKSIZE,
        "terminal": False,
    }


def _buffered(raw: FileHandle, size: int) -> State:
    state = raw.state
    if state["readable"] and state["writable"]:
        kind = "BufferedRandom"
    else:
        kind = "BufferedReader" if state["readable"] else "BufferedWriter"
    return {
        "kind": kind,
        "handle": raw,
        "raw": state,
        "readable": state["readable"],
        "writable": state["writable"],
        "data": bytearray(),
        "pos": 0,
        "read_end": -1,
        "write_pos": 0,
        "write_end": -1,
        "raw_pos": 0,
        "abs_pos": -1,
        "size": size,
        "owner": None,
        "waiters": [],
    }


def _text(buffer: FileHandle, mode: str, encoding: str, errors: str, newline: str | None) -> State:
    below = buffer.state
    return {
        "kind": "TextIOWrapper",
        "handle": buffer,
        "b": below,
        "mode": mode,
        "encoding": encoding,
        "codec": codec_of(encoding),
        "errors": errors,
        "newline": newline,
        "universal": newline in (None, ""),
        "translate": newline is None,
        "readnl": newline or "\n",
        "writenl": newline if newline in ("\r", "\r\n") else None,
        "line": False,
        "through": False,
        "encoder": below["writable"],
        "decoder": below["readable"],
        "seekable": False,
        "telling": False,
        "pending": [],
        "count": 0,
        "chars": "",
        "used": 0,
        "rest": b"",
        "cr": False,
        "snap": None,
    }


def _stdio_errors(env: dict[str, str]) -> str:
    """Source: CPython Python/initconfig.c:config_get_locale_stdio_errors? get_stdio_errors()."""
    locale = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG") or "C"
    plain = ("C", "POSIX", "C.UTF-8", "C.utf8", "UTF-8")
    return "surrogateescape" if locale in plain else "strict"


def stdio(G: Values, fd: int) -> FileHandle | None:
    """Return ``sys.stdin``, ``sys.stdout`` or ``sys.stderr``, made at its first use.

    Source: CPython Python/pylifecycle.c:create_stdio(), init_sys_streams().
    """
    known = G[STDIO + fd]
    if known is not UNBOUND:
        return known  # type: ignore[no-any-return]
    bits = G[START]
    if bits & START_CLOSED << fd:
        G[STDIO + fd] = None
        return None
    env = dict(G[0].env)
    unbuffered = bool(bits & START_UNBUFFERED or env.get("PYTHONUNBUFFERED"))
    terminal = bool(bits & START_TERMINAL << fd)
    raw = _raw(fd, _NAMES[fd], "wb" if fd else "rb", closefd=False, own=False)
    raw["terminal"] = terminal
    below = FileHandle("FileIO", raw)
    if not (unbuffered and fd):
        state = _buffered(below, _TERMINAL_BLKSIZE if terminal else _BLKSIZE)
        below = FileHandle(state["kind"], state)
    errors = "backslashreplace" if fd == 2 else _stdio_errors(env)
    text = _text(below, "w" if fd else "r", "utf-8", errors, "\n")
    text["through"] = unbuffered
    text["line"] = not unbuffered and (terminal or fd == 2)
    made = G[STDIO + fd] = FileHandle("TextIOWrapper", text)
    return made


OPEN_WORDS: Final = (
    "file",
    "mode",
    "buffering",
    "encoding",
    "errors",
    "newline",
    "closefd",
    "opener",
)


def given(function: str, names: tuple[str, ...], args: Any, words: Any, least: int) -> State:
    """Return arguments by name, or raise CPython's TypeError."""
    split = len(args) - len(words)
    if split > len(names):
        plural = "s" if len(names) != 1 else ""
        raise TypeError(f"{function}() takes at most {len(names)} argument{plural} ({split} given)")
    found = dict(zip(names, args[:split]))
    for word, value in zip(words, args[split:], strict=True):
        if word not in names:
            raise TypeError(f"'{word}' is an invalid keyword argument for {function}()")
        if word in found:
            raise TypeError(
                f"argument for {function}() given by name ('{word}') and position"
                f" ({names.index(word) + 1})"
            )
        found[word] = value
    for place, name in enumerate(names[:least]):
        if name not in found:
            raise TypeError(f"{function}() missing required argument '{name}' (pos {place + 1})")
    return found


def _text_argument(name: str, value: Any, default: str | None) -> str | None:
    if value is None:
        return default
    if type(value) is not str:
        raise TypeError(f"open() argument '{name}' must be str or None, not {tname(value)}")
    return value


def _check_mode(mode: Any) -> tuple[str, bool]:
    """Return the mode of the FileIO, and whether the file is a text."""
    if type(mode) is not str:
        raise TypeError(f"open() argument 'mode' must be str, not {tname(mode)}")
    letters = set(mode)
    if letters - set("axrwb+t") or len(mode) > len(letters):
        raise ValueError(f"invalid mode: {mode!r}")
    if "t" in mode and "b" in mode:
        raise ValueError("can't have text and binary mode at once")
    if sum(letter in mode for letter in "xrwa") != 1:
        raise ValueError("must have exactly one of create/read/write/append mode")
    raw = "".join(letter for letter in "xrwa" if letter in mode)
    return raw + ("b+" if "+" in mode else "b"), "b" not in mode


def parts_of(G: Values, found: State) -> tuple[State, str | None, int]:
    """Return the states that opening a file fills in, its path and the flags of open(2)."""
    file, mode = found["file"], found.get("mode", "r")
    size = found.get("buffering", -1)
    if not isinstance(size, int):
        raise TypeError(f"'{tname(size)}' object cannot be interpreted as an integer")
    encoding = _text_argument("encoding", found.get("encoding"), None)
    errors = _text_argument("errors", found.get("errors"), None)
    newline = _text_argument("newline", found.get("newline"), None)
    closefd = bool(found.get("closefd", True))
    if found.get("opener") is not None:
        raise FatalRunError("an opener is not in the guest language; open the descriptor first")
    raw_mode, is_text = _check_mode(mode)
    if not is_text:
        for name, value in (("encoding", encoding), ("errors", errors), ("newline", newline)):
            if value is not None:
                article = "an" if name != "newline" else "a"
                raise ValueError(f"binary mode doesn't take {article} {name} argument")
    elif size == 0:
        raise ValueError("can't have unbuffered text I/O")
    path: str | None = None
    if isinstance(file, int):
        if file < 0:
            raise ValueError("negative file descriptor")
        raw = _raw(int(file), file, raw_mode, closefd, own=False)
    else:
        path = as_path(file)
        if not closefd:
            raise ValueError("Cannot use closefd=False with file name")
        raw = _raw(-1, file, raw_mode, closefd, own=True)
    raw["mode"] = _shown_mode(raw_mode)
    below = FileHandle("FileIO", raw)
    made: State = {"raw": raw, "buffered": None, "text": None, "size": int(size), "line": False}
    if size != 0:
        state = _buffered(below, _BLKSIZE)
        made["buffered"] = state
        below = FileHandle(state["kind"], state)
    if is_text:
        below = _wrapped(below, mode, encoding, errors, newline)
        made["text"] = below.state
    made["handle"] = below
    return made, path, _open_flags(raw_mode)


def _wrapped(
    below: FileHandle, mode: str, encoding: str | None, errors: str | None, newline: str | None
) -> FileHandle:
    if newline not in (None, "", "\n", "\r", "\r\n"):
        raise ValueError(f"illegal newline value: {newline}")
    encoding = "UTF-8" if encoding is None or encoding == "locale" else encoding
    codec_of(encoding)
    if errors is not None and errors not in _ERRORS:
        raise FatalRunError(f"the error handler {errors!r} is not in the guest language")
    return FileHandle("TextIOWrapper", _text(below, mode, encoding, errors or "strict", newline))


def _shown_mode(raw_mode: str) -> str:
    """Source: CPython Modules/_io/fileio.c:mode_string()."""
    kind, plus = raw_mode[0], "+" in raw_mode
    if kind in "xa":
        return f"{kind}b+" if plus else f"{kind}b"
    return "rb+" if plus else f"{kind}b"


def _open_flags(raw_mode: str) -> int:
    flags = {"r": 0, "w": O_CREAT | O_TRUNC, "x": O_CREAT | O_EXCL, "a": O_CREAT | O_APPEND}
    if "+" in raw_mode:
        return flags[raw_mode[0]] | O_RDWR | O_CLOEXEC
    return flags[raw_mode[0]] | (0 if raw_mode[0] == "r" else O_WRONLY) | O_CLOEXEC
