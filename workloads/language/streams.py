"""File objects: ``open()``, ``sys.stdin/stdout/stderr``, ``print()``, ``input()``.

A file object is a ``FileHandle``: its kind is CPython's class, its state plain data of the address
space, so fork copies what is in a buffer and exec, ``os._exit`` and a fatal signal lose it. What
CPython does in C, system calls included, is in ``libraries/buffered.py`` and ``libraries/text.py``,
in the guest language; here are their tables, what they call in the host's Python, and the short
way: a ``print`` that only fills the buffer makes no frame.

The standard streams are made when a program first asks for them, from what exec found
(``kernel.uapi.start``). Global 5 has the open files: when only it refers to one, CPython's last
reference has gone and the file is closed (``dropped``).

Source: CPython Modules/_io/, Python/pylifecycle.c:create_stdio(), flush_std_files(), Lib/os.py.
Deviation: the codecs are utf-8, ascii and latin-1; no RuntimeWarning; a terminal's ``input()`` has
no line editing; ``open()`` asks less of the kernel (one fstat, one lseek); ``tell()`` of a text is
a byte offset.
"""

import codecs
import io
import sys
from typing import Any, Final

from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EAGAIN
from kernel.uapi.fcntl import O_APPEND, O_CLOEXEC, O_CREAT, O_EXCL, O_RDWR, O_TRUNC, O_WRONLY
from kernel.uapi.start import START_CLOSED, START_TERMINAL, START_UNBUFFERED
from workloads.language.bounded import codec_of, tname
from workloads.language.conversions import as_path
from workloads.language.errors import FatalRunError
from workloads.language.frames import CALL, RETURN, VALUE, Code, Frame
from workloads.language.library import CHECK, library
from workloads.language.scopes import FILES, START, STDIO
from workloads.language.values import PULLERS, UNBOUND, FileHandle

Values = list[Any]
State = dict[str, Any]

CHUNK: Final = 8192  # TextIOWrapper._CHUNK_SIZE
_BLKSIZE: Final = 4096  # st_blksize of pipes and files
_TERMINAL_BLKSIZE: Final = 1024
_TCGETS: Final = 0x5401
_ENOTTY: Final = 25
_EBADF: Final = 9
_NAMES: Final = ("<stdin>", "<stdout>", "<stderr>")
_ERRORS: Final = ("strict", "ignore", "replace", "backslashreplace", "surrogateescape")


# ---- calling the libraries: [name, arguments, the file object] ----------------------------------


def _io_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    code, values = arguments(G, L[0], *L[1])
    L[1] = None
    return (CALL, code, values)


def _io_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if G[0].attention:
        F.pc = 2
        return (CALL, CHECK, [V])
    return (RETURN, V)


def _return(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, V)


_BLOCKS: Final = ((_io_call, -1), (_io_done, -1), (_return, -1))
_IO: Final = library("io", *_BLOCKS, interruptible=False)
_PRINT: Final = library("print", *_BLOCKS, interruptible=False, looks_first=True)


def _print_now(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return G[0].program.runtime.print_values(G, *L)


#: [file, values, sep, end, flush]: print() whose arguments are there, but not yet texts
PRINT_LATER: Final = library(
    "print later", (_print_now, -1), (_return, -1), interruptible=False, looks_first=True
)


def arguments(G: Values, name: str, *args: Any) -> tuple[Code, Values]:
    """Return a function of the libraries and the locals to call it with."""
    code = G[0].program.runtime.library("io")[name]
    return code, [*args, *(UNBOUND,) * (code.locals_count - len(args))]


def call(G: Values, handle: Any, name: str, *args: Any) -> Any:
    """Return the op that calls a function of the libraries for ``handle``, which it keeps alive."""
    return (CALL, _IO, [name, args, handle])


# ---- what only the libraries call ---------------------------------------------------------------


def io_check_signals(G: Values) -> Any:
    if G[0].attention:
        return (CALL, CHECK, [None])
    return (VALUE, None)


def io_reentrant(G: Values, self: State) -> None:
    kind, name = self["kind"], self["raw"]["name"]
    raise RuntimeError(f"reentrant call inside <_io.{kind} name={name!r}>")


def io_unsupported(G: Values, what: str) -> None:
    raise io.UnsupportedOperation(what)


def io_would_block(G: Values, what: str, written: int) -> None:
    raise BlockingIOError(EAGAIN, what, written)


def io_end_of_input(G: Values) -> None:
    raise EOFError("EOF when reading a line")


def io_encode(G: Values, self: State, text: Any) -> bytes:
    """Return what ``write(text)`` writes, newlines translated."""
    if type(text) is not str:
        raise TypeError(f"write() argument must be str, not {tname(text)}")
    b = self["b"]
    if (b if b["kind"] == "FileIO" else b["raw"])["fd"] < 0:
        raise ValueError("I/O operation on closed file.")
    if not self["encoder"]:
        raise io.UnsupportedOperation("not writable")
    G[0].program.runtime.bounded.charge(len(text), "a text")
    if self["writenl"] is not None:
        text = text.replace("\n", self["writenl"])
    data: bytes = text.encode(self["codec"], self["errors"])
    return data


def io_must_flush(G: Values, self: State, text: str) -> bool:
    return self["line"] and ("\n" in text or "\r" in text)


def io_decode(G: Values, self: State, data: Any, final: bool) -> str:
    """Return the text of more bytes; what is not complete waits in the state."""
    if data is None:
        raise TypeError("a bytes-like object is required, not 'NoneType'")
    G[0].program.runtime.bounded.charge(len(data), "a text")
    data = self["rest"] + data
    codec = self["codec"]
    if codec == "utf-8":
        text, used = codecs.utf_8_decode(data, self["errors"], final)
    elif codec == "ascii":
        text, used = codecs.ascii_decode(data, self["errors"])
    else:
        text, used = codecs.latin_1_decode(data, self["errors"])
    self["rest"] = data[used:]
    if not self["universal"]:
        return text
    # Source: CPython Modules/_io/textio.c:_PyIncrementalNewlineDecoder_decode()
    if self["cr"] and (text or final):
        text = "\r" + text
        self["cr"] = False
    if not final and text.endswith("\r"):
        text = text[:-1]
        self["cr"] = True
    return text.replace("\r\n", "\n").replace("\r", "\n") if self["translate"] else text


def _line_end(self: State, chars: str, start: int) -> int:
    """Return where the line that begins at ``start`` ends, or -1."""
    if self["universal"] and not self["translate"]:
        newline, cr = chars.find("\n", start), chars.find("\r", start)
        if cr < 0 or 0 <= newline < cr:
            return newline + 1 or -1
        return cr + (2 if chars.startswith("\n", cr + 1) else 1)
    ending = "\n" if self["universal"] else self["readnl"]
    place = chars.find(ending, start)
    return place + len(ending) if place >= 0 else -1


def io_take_line(G: Values, self: State, limit: int, final: bool) -> str | None:
    """Return the next line of the decoded text; None: it is not all there yet."""
    chars, start = self["chars"], self["used"]
    end = _line_end(self, chars, start)
    if limit >= 0 and (end < 0 or end - start > limit) and len(chars) - start >= limit:
        end = start + limit
    if end < 0:
        if not final:
            return None
        end = len(chars)
    self["used"] = end
    return str(chars[start:end])


def io_take_text(G: Values, self: State, size: int) -> str:
    chars, start = self["chars"], self["used"]
    end = len(chars) if size < 0 else min(start + size, len(chars))
    self["used"] = end
    return str(chars[start:end])


def io_text_bytes(G: Values, self: State) -> bytes:
    """Return the bytes that the decoded and not yet taken text came from."""
    snap: bytes | None = self["snap"]
    if snap is None:
        return b""
    place = 0
    for _ in range(self["used"]):
        if self["translate"] and snap.startswith(b"\r\n", place):
            place += 2
            continue
        place += 1
        while self["codec"] == "utf-8" and place < len(snap) and snap[place] & 0xC0 == 0x80:
            place += 1
    return snap[place:]


# ---- making them --------------------------------------------------------------------------------


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


# ---- print --------------------------------------------------------------------------------------


def absorb(self: State, text: str) -> bool:
    """Do ``write(text)`` if it only adds to what is pending; return whether it did."""
    if self["through"] or not self["encoder"] or self["writenl"] is not None:
        return False
    if self["line"] and ("\n" in text or "\r" in text):
        return False
    if self["snap"] is not None or self["chars"] or self["rest"]:
        return False
    b = self["b"]
    if (b if b["kind"] == "FileIO" else b["raw"])["fd"] < 0:
        return False
    data = text.encode(self["codec"], self["errors"])
    count = self["count"] + len(data)
    if count >= CHUNK:
        return False
    self["pending"].append(data)
    self["count"] = count
    return True


def print_pieces(G: Values, handle: Any, pieces: tuple[str, ...], flush: bool) -> Any:
    """Begin to write ``pieces`` one after the other, as print() does."""
    if type(handle) is not FileHandle:
        raise AttributeError(f"'{tname(handle)}' object has no attribute 'write'")
    kind, state = handle.kind, handle.state
    if kind == "Popen":
        kind, state = "TextIOWrapper", state["stream"].state
    if kind != "TextIOWrapper":
        raise TypeError("a bytes-like object is required, not 'str'")
    place = 0
    while place < len(pieces) and absorb(state, pieces[place]):
        place += 1
    if place == len(pieces) and not flush:
        return (VALUE, None)
    return (CALL, _PRINT, ["text_print", (state, pieces, place, flush), handle])


def report(G: Values, lines: list[str]) -> Any:
    """Return the op that writes lines to sys.stderr, None if there is nowhere to."""
    handle = stdio(G, 2)
    if handle is None or handle.closed:
        return None
    code, values = arguments(G, "text_print", handle.state, tuple(lines), 0, True)
    return (CALL, code, values)


# ---- open ---------------------------------------------------------------------------------------

_OPEN: Final = (
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


def open_call(G: Values, args: Any, words: Any) -> Any:
    """Begin ``open(…)``. Source: CPython Modules/_io/_iomodule.c:_io_open_impl()."""
    return open_file(G, given("open", _OPEN, args, words, 1))


def os_fdopen(G: Values, fd: Any, mode: Any, *rest: Any) -> Any:
    """Begin ``os.fdopen(…)``. Source: CPython Lib/os.py:fdopen()."""
    if not isinstance(fd, int):
        raise TypeError(f"invalid fd type (<class '{tname(fd)}'>, expected integer)")
    names = _OPEN[2:]
    mode = "r" if mode is None else mode
    return open_file(G, {"file": fd, "mode": mode, **dict(zip(names, rest, strict=True))})


def io_popen_parts(G: Values, fd: int, mode: str, buffering: int) -> State:
    return _parts(G, {"file": fd, "mode": mode, "buffering": buffering})[0]


def io_popen_handle(G: Values, stream: FileHandle, pid: int) -> FileHandle:
    return FileHandle("Popen", {"kind": "Popen", "stream": stream, "pid": pid, "status": None})


def io_spawn_shell(G: Values, command: str, mask: int, defaults: int, actions: Any) -> Any:
    attributes = (False, False, mask, defaults, None, ())
    argv = ("sh", "-c", command)
    changed = G[0].c_environ
    env = None if changed is None else tuple(changed.items())
    return (nr.NR_POSIX_SPAWN, "/bin/sh", argv, env, actions, None, attributes)


def io_set_signal(G: Values, signal: int, disposition: int) -> Any:
    return (nr.NR_RT_SIGACTION, signal, disposition)


def io_set_mask(G: Values, how: int, mask: int) -> Any:
    return (nr.NR_RT_SIGPROCMASK, how, mask)


def os_system(G: Values, command: str) -> Any:
    return call(G, None, "run_system", command)


def os_popen(G: Values, command: Any, mode: Any, buffering: Any) -> Any:
    """Begin ``os.popen(…)``. Source: CPython Lib/os.py:popen()."""
    mode = "r" if mode is None else mode
    if type(command) is not str:
        raise TypeError(f"invalid cmd type (<class '{tname(command)}'>, expected string)")
    if mode not in ("r", "w"):
        raise ValueError(f"invalid mode {mode!r}")
    if buffering == 0 or buffering is None:
        raise ValueError("popen() does not support unbuffered streams")
    if "\0" in command:
        raise ValueError("embedded null byte")
    return call(G, None, "popen_start", command, mode, buffering)


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


def open_file(G: Values, found: State) -> Any:
    """Begin to open a file; ``found`` has the arguments of ``open()`` by name."""
    made, path, flags = _parts(G, found)
    return call(G, made["handle"], "open_file", made, path, flags)


def _parts(G: Values, found: State) -> tuple[State, str | None, int]:
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


# ---- dropping: [files, next, op or None, value] -------------------------------------------------


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
DROP: Final = library("drop", (_drop_next, -1), (_return, -1), interruptible=False)


# ---- the end: [exit code, what to do next, files] -----------------------------------------------


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


# ---- lines: [file] ------------------------------------------------------------------------------


def _line_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    handle = L[0]
    if handle.kind == "TextIOWrapper":
        return call(G, handle, "text_next", handle.state)
    return call(G, handle, "file_readline", handle.state, -1)


def _line_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, (V,) if V else None)


_LINE: Final = library("next line", (_line_call, -1), (_line_done, -1), interruptible=False)


def next_line(G: Values, handle: FileHandle) -> Any:
    """Begin to get the next line of a file: the op gives ``(line,)``, or None at the end."""
    if handle.kind == "Popen":
        handle = handle.state["stream"]
    text = handle.state
    if handle.kind == "TextIOWrapper" and not text["telling"] and not text["pending"]:
        line = None if handle.closed else io_take_line(G, text, -1, False)
        if line:
            return (VALUE, (line,))
    return (CALL, _LINE, [handle])


PULLERS[FileHandle] = next_line


# ---- input --------------------------------------------------------------------------------------


def input_call(G: Values, args: Any, words: Any) -> Any:
    """Begin ``input(prompt)``. Source: CPython Python/bltinmodule.c:builtin_input_impl()."""
    if words:
        raise TypeError("input() takes no keyword arguments")
    if len(args) > 1:
        raise TypeError(f"input expected at most 1 argument, got {len(args)}")
    streams = [stdio(G, fd) for fd in (0, 1, 2)]
    for handle, name in zip(streams, ("stdin", "stdout", "stderr")):
        if handle is None:
            raise RuntimeError(f"input(): lost sys.{name}")
    stdin, stdout, stderr = streams
    assert stdin is not None and stdout is not None and stderr is not None
    prompt = G[0].program.runtime.bounded.text(args[0]) if args else None
    return call(G, stdin, "input_line", stdout.state, stdin.state, stderr.state, prompt)


# ---- isatty -------------------------------------------------------------------------------------


def _tty_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_IOCTL, L[0], _TCGETS)


def _tty_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, not isinstance(V, OSError))


_ISATTY: Final = library("isatty", (_tty_call, 1), (_tty_done, 1), interruptible=False)


def os_isatty(G: Values, fd: int) -> Any:
    return (CALL, _ISATTY, [fd])


# ---- methods ------------------------------------------------------------------------------------

_SIZE = ("size",)
_BINARY: Final[dict[str, tuple[str, ...]]] = {
    "read": _SIZE,
    "readline": _SIZE,
    "readlines": ("hint",),
    "write": ("b",),
    "writelines": ("lines",),
    "seek": ("target", "whence"),
    "tell": (),
    "flush": (),
    "close": (),
    "fileno": (),
    "truncate": ("pos",),
    "isatty": (),
    "readable": (),
    "writable": (),
    "seekable": (),
}
#: kind -> method -> names of its parameters
METHODS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "TextIOWrapper": {
        **_BINARY,
        "write": ("text",),
        "seek": ("cookie", "whence"),
        "reconfigure": (
            "line_buffering",
            "write_through",
        ),
    },
    "FileIO": {**_BINARY, "readall": ()},
    "BufferedReader": {**_BINARY, "read1": _SIZE, "peek": _SIZE},
    "BufferedWriter": _BINARY,
    "Popen": {**_BINARY, "write": ("text",), "seek": ("cookie", "whence")},
    "BufferedRandom": {**_BINARY, "read1": _SIZE, "peek": _SIZE},
}
_KEYWORDS: Final = ("line_buffering", "write_through")


def _number(value: Any, default: int) -> int:
    if value is None:
        return default
    if not isinstance(value, int):
        raise TypeError(f"argument should be integer or None, not '{tname(value)}'")
    return int(value)


def method(G: Values, handle: FileHandle, name: str, args: State) -> Any:
    """Begin a method of a file object."""
    kind, state = handle.kind, handle.state
    if kind == "Popen":
        if name == "close":
            return call(G, handle, "popen_close", state["stream"].state, state)
        return method(G, state["stream"], name, args)
    if kind == "TextIOWrapper":
        return _text_method(G, handle, name, args)
    raw = state if kind == "FileIO" else state["raw"]
    if name == "fileno":
        _check_open(raw["fd"])
        return (VALUE, raw["fd"])
    if name in ("readable", "writable"):
        _check_open(raw["fd"])
        return (VALUE, raw[name])
    if name == "write":
        data = args["b"]
        if type(data) is bytearray:
            data = bytes(data)
        if type(data) is not bytes:
            raise TypeError(f"a bytes-like object is required, not '{tname(data)}'")
        if kind == "BufferedReader":
            raise io.UnsupportedOperation("write")
        return call(G, handle, "file_write", state, data)
    if name in ("read", "readline", "read1"):
        if kind == "BufferedWriter":
            raise io.UnsupportedOperation("read1" if name == "read1" else "read")
        size = _number(args.get("size"), -1)
        function = "buffered_read1" if name == "read1" else f"file_{name}"
        return call(G, handle, function, state, size)
    if name == "readlines":
        if not raw["readable"] and kind != "FileIO":
            raise io.UnsupportedOperation("not readable")
        return call(G, handle, "file_readlines", state, _number(args.get("hint"), -1))
    if name == "readall":
        return call(G, handle, "raw_readall", state)
    if name == "peek":
        return call(G, handle, "buffered_peek", state)
    if name == "writelines":
        lines = G[0].program.runtime.bounded.sequence(args["lines"])
        return call(G, handle, "file_writelines", state, lines)
    if name == "seek":
        place = _number(args["target"], 0)
        return call(G, handle, "file_seek", state, place, _number(args.get("whence"), 0))
    if name == "truncate":
        return call(G, handle, "file_truncate", state, args.get("pos"))
    return call(G, handle, f"file_{name}", state)


def _text_method(G: Values, handle: FileHandle, name: str, args: State) -> Any:
    state = handle.state
    if name == "write":
        text = args["text"]
        if type(text) is str and absorb(state, text):
            return (VALUE, len(text))
        return call(G, handle, "text_write", state, text)
    if name in ("fileno", "readable", "writable", "seekable"):
        closed = "I/O operation on closed file" + ("" if name == "fileno" else ".")
        _check_open(-1 if handle.closed else 0, closed)
        if name == "fileno":
            return (VALUE, handle.fd)
        answers = {"readable": "decoder", "writable": "encoder", "seekable": "seekable"}
        return (VALUE, bool(state[answers[name]]))
    if name in ("read", "readline"):
        return call(G, handle, f"text_{name}", state, _number(args.get("size"), -1))
    if name == "readlines":
        return call(G, handle, "text_readlines", state, _number(args.get("hint"), -1))
    if name == "writelines":
        lines = G[0].program.runtime.bounded.sequence(args["lines"])
        return call(G, handle, "text_writelines", state, lines)
    if name == "seek":
        place = _number(args["cookie"], 0)
        return call(G, handle, "text_seek", state, place, _number(args.get("whence"), 0))
    if name == "truncate":
        return call(G, handle, "text_truncate", state, args.get("pos"))
    if name == "reconfigure":
        words = [args.get(word) for word in _KEYWORDS]
        return call(G, handle, "text_reconfigure", state, *words)
    return call(G, handle, f"text_{name}", state)


def _check_open(fd: int, text: str = "I/O operation on closed file") -> None:
    if fd < 0:
        raise ValueError(text)


def enter(G: Values, handle: FileHandle) -> Any:
    """Begin ``with handle as …``: the file itself."""
    _check_open(-1 if handle.closed else 0, "I/O operation on closed file.")
    return (VALUE, handle)


def attribute(handle: FileHandle, name: str) -> Any:
    """Return an attribute that can be read."""
    kind, state = handle.kind, handle.state
    if kind == "Popen" and name not in ("stream",):
        return attribute(state["stream"], name)
    if name == "closed":
        return handle.closed
    if kind == "TextIOWrapper":
        if name in ("encoding", "errors", "mode"):
            return state[name]
        if name == "buffer":
            return state["handle"]
        if name == "line_buffering":
            return state["line"]
        if name == "write_through":
            return state["through"]
        if name == "newlines":
            raise FatalRunError("the attribute 'newlines' of a file is not in the guest language")
    if name == "name":
        return handle.raw["name"]
    if name == "raw" and kind.startswith("Buffered"):
        return state["handle"]
    if name == "mode" and kind != "TextIOWrapper":
        return handle.raw["mode"]
    if name == "closefd" and kind == "FileIO":
        return state["closefd"]
    raise AttributeError(f"'{tname(handle)}' object has no attribute '{name}'")
