"""What the libraries of file objects call in the host's Python: decoding, encoding, lines.

``self`` is the state of a text object: see ``libraries/text.py``.

Source: CPython Modules/_io/textio.c.
"""

import codecs
import io
from typing import Any

from kernel.uapi.errno_ import EAGAIN
from workloads.language.bounded import tname
from workloads.language.file_states import State, Values
from workloads.language.frames import CALL, VALUE
from workloads.language.library import CHECK


def io_check_signals(G: Values) -> Any:
    """Begin to call the handlers of signals that have come."""
    if G[0].attention:
        return (CALL, CHECK, [None])
    return (VALUE, None)


def io_reentrant(G: Values, self: State) -> None:
    """Raise what a thread gets that uses a buffer it is in already."""
    kind, name = self["kind"], self["raw"]["name"]
    raise RuntimeError(f"reentrant call inside <_io.{kind} name={name!r}>")


def io_unsupported(G: Values, what: str) -> None:
    """Raise ``io.UnsupportedOperation``."""
    raise io.UnsupportedOperation(what)


def io_would_block(G: Values, what: str, written: int) -> None:
    """Raise the BlockingIOError of a buffer that could not be written."""
    raise BlockingIOError(EAGAIN, what, written)


def io_end_of_input(G: Values) -> None:
    """Raise what ``input()`` does at the end of the input."""
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
    """Return whether a text written ends a line that a line-buffered stream sends off."""
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
    """Return up to ``size`` characters (-1: all) of the decoded text."""
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
