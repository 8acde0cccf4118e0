# ruff: noqa: F821
"""What CPython's TextIOWrapper does, in the guest language: see ``streams``.

The second half of ``buffered.py``, whose functions it calls. ``self`` is a dict:

=========  ====================================================================================
b          state of the binary file below (buffered, or a FileIO)
writing    pending: pieces of bytes not handed down yet, count: how many bytes they are; line:
           line buffering; through: write_through
reading    chars: decoded text, used: how much of it has been taken; rest, cr: what the decoder
           still holds; snap: the bytes that ``chars`` came from, None if nobody may ask
=========  ====================================================================================

Source: CPython Modules/_io/textio.c (3.11), Python/bltinmodule.c:builtin_input_impl().
"""

from _runtime import (
    decode,
    encode,
    end_of_input,
    must_flush,
    register,
    take_line,
    take_text,
    text_bytes,
    unsupported,
)


def text_check(self):
    b = self["b"]
    if (b if b["kind"] == "FileIO" else b["raw"])["fd"] < 0:
        raise ValueError("I/O operation on closed file.")


# ---- writing -------------------------------------------------------------------------------------


def write_pending(self):
    if not self["pending"]:
        return
    data = b"".join(self["pending"])
    self["pending"] = []
    self["count"] = 0
    file_write(self["b"], data)


def text_write(self, text):
    data = encode(self, text)
    if self["pending"] and self["count"] + len(data) > 8192:
        write_pending(self)
    self["pending"].append(data)
    self["count"] += len(data)
    flushed = must_flush(self, text)
    if flushed or self["through"] or self["count"] >= 8192:
        write_pending(self)
    if flushed:
        file_flush(self["b"])
    forget_read(self)
    return len(text)


def text_writelines(self, lines):
    text_check(self)
    for line in lines:
        text_write(self, line)


def text_flush(self):
    text_check(self)
    self["telling"] = self["seekable"]
    write_pending(self)
    file_flush(self["b"])


def text_print(self, pieces, first, flush):
    i = first
    while i < len(pieces):
        text_write(self, pieces[i])
        i += 1
    if flush:
        text_flush(self)


# ---- reading -------------------------------------------------------------------------------------


def forget_read(self):
    self["chars"] = ""
    self["used"] = 0
    self["rest"] = b""
    self["cr"] = False
    self["snap"] = None


def read_chunk(self):
    # Decode one more piece; False at the end of the file.
    if not self["decoder"]:
        unsupported("not readable")
    b = self["b"]
    left = self["chars"][self["used"] :]
    before = text_bytes(self) if self["telling"] else b""
    if b["kind"] == "FileIO":
        data = raw_read(b, 8192)
    else:
        data = buffered_read1(b, 8192)
    if data is None:
        raise TypeError(
            "underlying read() should have returned a bytes-like object, not 'NoneType'"
        )
    text = decode(self, data, not data)
    self["chars"] = left + text
    self["used"] = 0
    self["snap"] = before + data if self["telling"] else None
    return bool(data) or bool(text)


def text_read(self, size):
    text_check(self)
    if not self["decoder"]:
        unsupported("not readable")
    write_pending(self)
    if size is None or size < 0:
        data = file_read(self["b"], -1)
        text = decode(self, data, True)
        text = take_text(self, -1) + text
        forget_read(self)
        return text
    text = take_text(self, size)
    while len(text) < size:
        if not read_chunk(self):
            break
        text += take_text(self, size - len(text))
    return text


def text_readline(self, limit):
    text_check(self)
    write_pending(self)
    while True:
        line = take_line(self, limit, False)
        if line is not None:
            return line
        if not read_chunk(self):
            line = take_line(self, limit, True)
            if not line:
                self["snap"] = None
            return line


def text_next(self):
    # A line, or an empty text at the end.
    self["telling"] = False
    line = text_readline(self, -1)
    if not line:
        self["snap"] = None
        self["telling"] = self["seekable"]
    return line


def text_readlines(self, hint):
    lines = []
    size = 0
    while True:
        line = text_next(self)
        if not line:
            return lines
        lines.append(line)
        size += len(line)
        if 0 < hint <= size:
            return lines


# ---- both ----------------------------------------------------------------------------------------


def text_tell(self):
    text_check(self)
    if not self["seekable"]:
        unsupported("underlying stream is not seekable")
    if not self["telling"]:
        raise OSError("telling position disabled by next() call")
    write_pending(self)
    file_flush(self["b"])
    return file_tell(self["b"]) - len(text_bytes(self))


def text_seek(self, target, whence):
    text_check(self)
    if not self["seekable"]:
        unsupported("underlying stream is not seekable")
    if whence == 1:
        if target != 0:
            unsupported("can't do nonzero cur-relative seeks")
        target = text_tell(self)
        whence = 0
    elif whence == 2 and target != 0:
        unsupported("can't do nonzero end-relative seeks")
    elif not 0 <= whence <= 2:
        raise ValueError(f"invalid whence ({whence}, should be 0, 1 or 2)")
    if target < 0:
        raise ValueError(f"negative seek position {target}")
    text_flush(self)
    pos = file_seek(self["b"], target, whence)
    forget_read(self)
    return pos


def text_truncate(self, size):
    text_flush(self)
    return file_truncate(self["b"], size)


def text_close(self):
    b = self["b"]
    if (b if b["kind"] == "FileIO" else b["raw"])["fd"] < 0:
        return
    try:
        text_flush(self)
    finally:
        file_close(b)


def text_isatty(self):
    text_check(self)
    return file_isatty(self["b"])


def text_reconfigure(self, line, through):
    text_flush(self)
    if line is not None:
        self["line"] = bool(line)
    if through is not None:
        self["through"] = bool(through)


# ---- opening -------------------------------------------------------------------------------------


def open_file(made, path, flags):
    # made: states by layer, as streams.open_file() prepares them; gives their first.
    raw = made["raw"]
    if path is not None:
        raw_open(raw, path, flags)
    else:
        raw_opened(raw)
    b = made["buffered"]
    text = made["text"]
    if b is not None:
        if made["size"] == 1 or (made["size"] < 0 and raw["terminal"]):
            made["line"] = True
            b["size"] = raw["blksize"]
        else:
            b["size"] = made["size"] if made["size"] > 1 else raw["blksize"]
        if raw["readable"] and raw["writable"] and not raw_seekable(raw):
            raw_close(raw)
            unsupported("File or stream is not seekable.")
        try:
            b["abs_pos"] = raw_seek(raw, 0, 1)
        except OSError:
            b["abs_pos"] = -1
    if text is not None:
        text["line"] = made["line"]
        text["seekable"] = raw_seekable(raw)
        text["telling"] = text["seekable"]
    register(made["handle"])
    return made["handle"]


# ---- input() -------------------------------------------------------------------------------------


def input_line(out, stdin, stderr, prompt):
    # The states of sys.stdout, sys.stdin and sys.stderr, and the text of the prompt or None.
    if stderr is not None:
        text_flush(stderr)
    if prompt is not None:
        text_write(out, prompt)
    text_flush(out)
    line = text_readline(stdin, -1)
    if not line:
        end_of_input()
    return line[:-1] if line[-1:] == "\n" else line


# ---- the end of the process ----------------------------------------------------------------------


def flush_at_exit(self):
    # For flush_std_files(): whatever goes wrong is returned.
    try:
        text_flush(self)
    except BaseException as error:
        return error
    return None


def drop(self, is_text):
    # What the last reference does: close, in silence.
    try:
        if is_text:
            text_close(self)
        else:
            file_close(self)
    except BaseException:
        return
