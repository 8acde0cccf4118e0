"""File objects: ``open()``, ``sys.stdin/stdout/stderr``, ``print()``, ``input()``.

A file object is a ``FileHandle``: its kind is CPython's class, its state plain data of the address
space, so fork copies what is in a buffer and exec, ``os._exit`` and a fatal signal lose it. What
CPython does in C, system calls included, is in ``libraries/buffered.py`` and ``libraries/text.py``,
in the guest language; here are their tables, what they call in the host's Python, and the short
way: a ``print`` that only fills the buffer makes no frame.

The standard streams are made when a program first asks for them, from what exec found
(``kernel.uapi.start``): see ``file_states``. What is closed and flushed by itself: ``open_files``.

Source: CPython Modules/_io/, Python/pylifecycle.c:create_stdio(), flush_std_files(), Lib/os.py.
Deviation: the codecs are utf-8, ascii and latin-1; no RuntimeWarning; a terminal's ``input()`` has
no line editing; ``open()`` asks less of the kernel (one fstat, one lseek); ``tell()`` of a text is
a byte offset.
"""

import io
from typing import Any, Final

from kernel.uapi import syscalls as nr
from workloads.language.bounded import tname
from workloads.language.errors import FatalRunError
from workloads.language.file_states import OPEN_WORDS, State, Values, given, parts_of, stdio
from workloads.language.frames import CALL, RETURN, VALUE, Code, Frame
from workloads.language.library import WITH_SIGNALS, give_back, library
from workloads.language.text_codec import io_take_line
from workloads.language.values import PULLERS, UNBOUND, FileHandle

CHUNK: Final = 8192  # TextIOWrapper._CHUNK_SIZE
_TCGETS: Final = 0x5401


# ---- calling the libraries: [name, arguments, the file object] ----------------------------------


def _io_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    code, values = arguments(G, L[0], *L[1])
    L[1] = None
    return (CALL, code, values)


_BLOCKS: Final = ((_io_call, -1), *WITH_SIGNALS)
_IO: Final = library("io", *_BLOCKS, interruptible=False)
_PRINT: Final = library("print", *_BLOCKS, interruptible=False, looks_first=True)


def _print_now(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return G[0].program.runtime.print_values(G, *L)


#: [file, values, sep, end, flush]: print() whose arguments are there, but not yet texts
PRINT_LATER: Final = library(
    "print later", (_print_now, -1), (give_back, -1), interruptible=False, looks_first=True
)


def arguments(G: Values, name: str, *args: Any) -> tuple[Code, Values]:
    """Return a function of the libraries and the locals to call it with."""
    code = G[0].program.runtime.library("io")[name]
    return code, [*args, *(UNBOUND,) * (code.locals_count - len(args))]


def call(G: Values, handle: Any, name: str, *args: Any) -> Any:
    """Return the op that calls a function of the libraries for ``handle``, which it keeps alive."""
    return (CALL, _IO, [name, args, handle])


# ---- making them --------------------------------------------------------------------------------


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


def open_call(G: Values, args: Any, words: Any) -> Any:
    """Begin ``open(…)``. Source: CPython Modules/_io/_iomodule.c:_io_open_impl()."""
    return open_file(G, given("open", OPEN_WORDS, args, words, 1))


def os_fdopen(G: Values, fd: Any, mode: Any, *rest: Any) -> Any:
    """Begin ``os.fdopen(…)``. Source: CPython Lib/os.py:fdopen()."""
    if not isinstance(fd, int):
        raise TypeError(f"invalid fd type (<class '{tname(fd)}'>, expected integer)")
    names = OPEN_WORDS[2:]
    mode = "r" if mode is None else mode
    return open_file(G, {"file": fd, "mode": mode, **dict(zip(names, rest, strict=True))})


def open_file(G: Values, found: State) -> Any:
    """Begin to open a file; ``found`` has the arguments of ``open()`` by name."""
    made, path, flags = parts_of(G, found)
    return call(G, made["handle"], "open_file", made, path, flags)


# ---- dropping: [files, next, op or None, value] -------------------------------------------------


# ---- the end: [exit code, what to do next, files] -----------------------------------------------


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
    """Begin ``os.isatty``."""
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
