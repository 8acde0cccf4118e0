# ruff: noqa: SIM105
"""What CPython's FileIO and its buffered objects do, in the guest language: see ``streams``.

The functions run as frames of the guest thread that calls them, with the same system calls in the
same order and the same places where a signal handler may come in between as CPython's C code.
``self`` is the state of an object, a dict:

========  =====================================================================================
FileIO    fd (-1: closed), readable, writable, appending, closefd, seekable (None: not known yet)
buffered  raw: the FileIO's state; data: the buffer, as far as it is filled; pos, read_end,
          write_pos, write_end, raw_pos as in bufferedio.c (an end of -1: no such buffer); abs_pos:
          where the file is, -1: not known; size; owner: the thread in it, None; waiters
========  =====================================================================================

There are no constants here: a global would be one of the program's.

Source: CPython Modules/_io/fileio.c, Modules/_io/bufferedio.c, Modules/_io/iobase.c (3.11).
"""

import os
from threading import Lock

from _runtime import check_signals, current, forget, reentrant, unsupported, would_block

# ---- FileIO --------------------------------------------------------------------------------------


def raw_open(self, path, flags):
    self["fd"] = os.open(path, flags, 0o666)
    raw_opened(self)


def raw_opened(self):
    # What there is to know of a descriptor; a folder cannot be opened.
    failed = None
    try:
        mode = os.fstat(self["fd"]).st_mode
        if mode & 0o170000 == 0o040000:
            failed = IsADirectoryError(21, "Is a directory", self["name"])
        elif mode & 0o170000 == 0o020000 and os.isatty(self["fd"]):
            self["blksize"] = 1024
            self["terminal"] = True
        if failed is None and self["appending"]:
            raw_seek(self, 0, 2)
    except OSError as error:
        failed = error
    if failed is not None:
        fd = self["fd"]
        self["fd"] = -1
        if self["own"]:
            os.close(fd)
        raise failed


def raw_check(self):
    if self["fd"] < 0:
        raise ValueError("I/O operation on closed file")


def raw_read(self, size):
    raw_check(self)
    if not self["readable"]:
        unsupported("File not open for reading")
    if size is None or size < 0:
        return raw_readall(self)
    try:
        return os.read(self["fd"], size)
    except BlockingIOError:
        return None


def raw_readall(self):
    raw_check(self)
    if not self["readable"]:
        unsupported("File not open for reading")
    room = 8192
    try:
        pos = os.lseek(self["fd"], 0, 1)
        end = os.fstat(self["fd"]).st_size
        if end > 0 and end >= pos:
            room = end - pos + 1
    except OSError:
        pass
    data = bytearray()
    while True:
        if len(data) >= room:
            more = 256 + len(data) if len(data) <= 65536 else len(data) // 8
            room = len(data) + max(more, 8192)
        try:
            part = os.read(self["fd"], room - len(data))
        except BlockingIOError:
            if data:
                break
            return None
        if not part:
            break
        data += part
    return bytes(data)


def raw_readline(self, limit):
    data = bytearray()
    while limit < 0 or len(data) < limit:
        part = raw_read(self, 1)
        if not part:
            break
        data += part
        if part == b"\n":
            break
    return bytes(data)


def raw_write(self, data):
    raw_check(self)
    if not self["writable"]:
        unsupported("File not open for writing")
    try:
        return os.write(self["fd"], data)
    except BlockingIOError:
        return None


def raw_seek(self, offset, whence):
    raw_check(self)
    try:
        pos = os.lseek(self["fd"], offset, whence)
    except OSError:
        if self["seekable"] is None:
            self["seekable"] = False
        raise
    self["seekable"] = True
    return pos


def raw_seekable(self):
    raw_check(self)
    if self["seekable"] is None:
        try:
            raw_seek(self, 0, 1)
        except OSError:
            pass
    return self["seekable"]


def raw_truncate(self, size):
    raw_check(self)
    if not self["writable"]:
        unsupported("File not open for writing")
    if size is None:
        size = raw_seek(self, 0, 1)
    os.ftruncate(self["fd"], size)
    return size


def raw_isatty(self):
    raw_check(self)
    return os.isatty(self["fd"])


def raw_close(self):
    fd = self["fd"]
    self["fd"] = -1
    if fd >= 0 and self["closefd"]:
        os.close(fd)


# ---- the lock of a buffered object ---------------------------------------------------------------


def buffered_enter(self):
    me = current()
    if self["owner"] is None:
        self["owner"] = me
        return
    if self["owner"] == me:
        reentrant(self)
    waiter = Lock()
    waiter.acquire()
    if self["owner"] is None:  # the owner has left meanwhile and knew of nobody to wake
        self["owner"] = me
    else:
        self["waiters"].append(waiter)
        waiter.acquire()
        self["owner"] = me
    forget(waiter)


def buffered_leave(self):
    if self["waiters"]:
        waiter = self["waiters"].pop(0)
        self["owner"] = -2
        waiter.release()
    else:
        self["owner"] = None


def buffered_check(self, what):
    if self["raw"]["fd"] < 0:
        raise ValueError(what)


# ---- positions -----------------------------------------------------------------------------------


def raw_offset(self):
    if (self["read_end"] < 0 and self["write_end"] < 0) or self["raw_pos"] < 0:
        return 0
    return self["raw_pos"] - self["pos"]


def readahead(self):
    return self["read_end"] - self["pos"] if self["read_end"] >= 0 else 0


def adjust_position(self, pos):
    self["pos"] = pos
    if 0 <= self["read_end"] < pos:
        self["read_end"] = pos


def buffered_raw_tell(self):
    pos = raw_seek(self["raw"], 0, 1)
    self["abs_pos"] = pos
    return pos


def buffered_raw_seek(self, offset, whence):
    pos = raw_seek(self["raw"], offset, whence)
    self["abs_pos"] = pos
    return pos


def reset_read(self):
    self["read_end"] = -1


def reset_write(self):
    self["write_pos"] = 0
    self["write_end"] = -1


def put(self, pos, data):
    # memcpy into the buffer, which is kept as short as what is in it
    buffer = self["data"]
    if len(buffer) < pos:
        buffer += bytes(pos - len(buffer))
    buffer[pos : pos + len(data)] = data


# ---- writing -------------------------------------------------------------------------------------


def buffered_raw_write(self, data):
    done = raw_write(self["raw"], data)
    if done and self["abs_pos"] >= 0:
        self["abs_pos"] += done
    return done


def flush_unlocked(self):
    if self["write_end"] >= 0 and self["write_pos"] != self["write_end"]:
        rewind = raw_offset(self) + self["pos"] - self["write_pos"]
        if rewind:
            buffered_raw_seek(self, -rewind, 1)
            self["raw_pos"] -= rewind
        while self["write_pos"] < self["write_end"]:
            part = bytes(self["data"][self["write_pos"] : self["write_end"]])
            done = buffered_raw_write(self, part)
            if done is None:
                would_block("write could not complete without blocking", 0)
            self["write_pos"] += done
            self["raw_pos"] = self["write_pos"]
            check_signals()
    reset_write(self)


def flush_and_rewind(self):
    flush_unlocked(self)
    if self["readable"]:
        try:
            buffered_raw_seek(self, -raw_offset(self), 1)
        finally:
            reset_read(self)


def buffered_write(self, data):
    buffered_enter(self)
    try:
        buffered_check(self, "write to closed file")
        return write_locked(self, data)
    finally:
        buffered_leave(self)


def write_locked(self, data):
    size = self["size"]
    if self["read_end"] < 0 and self["write_end"] < 0:
        self["pos"] = 0
        self["raw_pos"] = 0
        self["data"].clear()
    pos = self["pos"]
    if len(data) <= size - pos:
        put(self, pos, data)
        if self["write_end"] < 0 or self["write_pos"] > pos:
            self["write_pos"] = pos
        adjust_position(self, pos + len(data))
        if self["write_end"] < self["pos"]:
            self["write_end"] = self["pos"]
        return len(data)
    try:
        flush_unlocked(self)
    except BlockingIOError:
        return write_what_fits(self, data)
    offset = raw_offset(self)
    if offset:
        buffered_raw_seek(self, -offset, 1)
        self["raw_pos"] -= offset
    written = 0
    while len(data) - written > size:
        done = buffered_raw_write(self, data[written:] if written else data)
        if done is None:
            put(self, 0, data[written : written + size])
            self["raw_pos"] = 0
            adjust_position(self, size)
            self["write_pos"] = 0
            self["write_end"] = size
            would_block("write could not complete without blocking", written + size)
        written += done
        check_signals()
    if self["readable"]:
        reset_read(self)
    self["data"].clear()
    rest = len(data) - written
    put(self, 0, data[written:])
    self["write_pos"] = 0
    self["write_end"] = rest
    adjust_position(self, rest)
    self["raw_pos"] = 0
    return len(data)


def write_what_fits(self, data):
    # The flush before it would have blocked; the rest of the buffer takes what it can.
    if self["readable"]:
        reset_read(self)
    begin = self["write_pos"]
    del self["data"][:begin]
    self["write_end"] -= begin
    self["raw_pos"] -= begin
    self["pos"] -= begin
    self["write_pos"] = 0
    room = self["size"] - self["write_end"]
    part = data[:room]
    put(self, self["write_end"], part)
    self["write_end"] += len(part)
    self["pos"] += len(part)
    if len(part) < len(data):
        would_block("write could not complete without blocking", len(part))
    return len(data)


def buffered_flush(self):
    if not self["writable"]:
        raw_check(self["raw"])
        return
    buffered_check(self, "flush of closed file")
    buffered_enter(self)
    try:
        flush_and_rewind(self)
    finally:
        buffered_leave(self)


# ---- reading -------------------------------------------------------------------------------------


def buffered_raw_read(self, size):
    data = raw_read(self["raw"], size)
    if data and self["abs_pos"] >= 0:
        self["abs_pos"] += len(data)
    return data


def fill_buffer(self):
    start = max(self["read_end"], 0)
    data = buffered_raw_read(self, self["size"] - start)
    if data:
        put(self, start, data)
        self["read_end"] = start + len(data)
        self["raw_pos"] = start + len(data)
    return data


def take(self, size):
    pos = self["pos"]
    self["pos"] = pos + size
    return bytes(self["data"][pos : pos + size])


def buffered_read(self, size):
    if size is not None and size < -1:
        raise ValueError("read length must be non-negative or -1")
    buffered_check(self, "read of closed file")
    if size is None or size < 0:
        buffered_enter(self)
        try:
            return read_all(self)
        finally:
            buffered_leave(self)
    if size <= readahead(self):
        return take(self, size)
    buffered_enter(self)
    try:
        return read_generic(self, size)
    finally:
        buffered_leave(self)


def read_all(self):
    have = take(self, readahead(self))
    if self["writable"]:
        flush_and_rewind(self)
    reset_read(self)
    rest = raw_readall(self["raw"])
    if rest is None:
        return have or None
    if self["abs_pos"] >= 0:
        self["abs_pos"] += len(rest)
    return have + rest


def read_generic(self, size):
    out = bytearray(take(self, readahead(self)))
    if self["writable"]:
        flush_and_rewind(self)
    reset_read(self)
    while len(out) < size:
        whole = (size - len(out)) // self["size"] * self["size"]
        if not whole:
            break
        part = buffered_raw_read(self, whole)
        if not part:
            return bytes(out) if part is not None or out else None
        out += part
    self["data"].clear()
    self["pos"] = 0
    self["raw_pos"] = 0
    self["read_end"] = 0
    while len(out) < size and self["read_end"] < self["size"]:
        part = fill_buffer(self)
        if not part:
            return bytes(out) if part is not None or out else None
        out += take(self, min(size - len(out), len(part)))
    return bytes(out)


def buffered_read1(self, size):
    if size < 0:
        size = self["size"]
    buffered_check(self, "read of closed file")
    if not size:
        return b""
    have = readahead(self)
    if have > 0:
        return take(self, min(have, size))
    buffered_enter(self)
    try:
        reset_read(self)
        return buffered_raw_read(self, size) or b""
    finally:
        buffered_leave(self)


def buffered_peek(self):
    buffered_check(self, "peek of closed file")
    buffered_enter(self)
    try:
        if self["writable"]:
            flush_and_rewind(self)
        if readahead(self) <= 0:
            reset_read(self)
            self["data"].clear()
            self["pos"] = 0
            fill_buffer(self)
            self["pos"] = 0
        return bytes(self["data"][self["pos"] : self["pos"] + readahead(self)])
    finally:
        buffered_leave(self)


def buffered_readline(self, limit):
    buffered_check(self, "readline of closed file")
    have = readahead(self)
    if 0 <= limit < have:
        have = limit
    pos = self["pos"]
    end = self["data"].find(b"\n", pos, pos + have)
    if end >= 0:
        return take(self, end + 1 - pos)
    if have == limit:
        return take(self, have)
    buffered_enter(self)
    try:
        out = bytearray(take(self, have))
        if self["writable"]:
            flush_and_rewind(self)
        while limit < 0 or len(out) < limit:
            reset_read(self)
            self["data"].clear()
            self["pos"] = 0
            part = fill_buffer(self)
            if not part:
                break
            size = len(part) if limit < 0 else min(len(part), limit - len(out))
            end = self["data"].find(b"\n", 0, size)
            out += take(self, size if end < 0 else end + 1)
            if end >= 0:
                break
        return bytes(out)
    finally:
        buffered_leave(self)


# ---- both ----------------------------------------------------------------------------------------


def buffered_tell(self):
    pos = buffered_raw_tell(self) - raw_offset(self)
    return max(pos, 0)


def buffered_seek(self, target, whence):
    if not 0 <= whence <= 2:
        raise ValueError(f"whence value {whence} unsupported")
    buffered_check(self, "seek of closed file")
    if not raw_seekable(self["raw"]):
        unsupported("File or stream is not seekable.")
    if whence < 2 and self["readable"]:
        here = self["abs_pos"]
        if here < 0:
            here = buffered_raw_tell(self)
        here -= raw_offset(self)
        offset = target - here if whence == 0 else target
        if -self["pos"] <= offset <= readahead(self) and self["read_end"] >= 0:
            self["pos"] += offset
            return here + offset
    buffered_enter(self)
    try:
        if self["writable"]:
            flush_unlocked(self)
        if whence == 1:
            target -= raw_offset(self)
        pos = buffered_raw_seek(self, target, whence)
        self["raw_pos"] = -1
        if self["readable"]:
            reset_read(self)
        return pos
    finally:
        buffered_leave(self)


def buffered_truncate(self, size):
    buffered_check(self, "truncate of closed file")
    if not self["writable"]:
        unsupported("truncate")
    buffered_enter(self)
    try:
        flush_and_rewind(self)
        return raw_truncate(self["raw"], size)
    finally:
        buffered_leave(self)


def buffered_close(self):
    if self["raw"]["fd"] < 0:
        return
    try:
        buffered_flush(self)
    finally:
        raw_close(self["raw"])
        self["data"].clear()


# ---- any of them, by its kind --------------------------------------------------------------------


def file_read(self, size):
    if self["kind"] == "FileIO":
        return raw_read(self, size)
    return buffered_read(self, size)


def file_readline(self, limit):
    if self["kind"] == "FileIO":
        return raw_readline(self, limit)
    return buffered_readline(self, limit)


def file_write(self, data):
    if self["kind"] == "FileIO":
        return raw_write(self, data)
    return buffered_write(self, data)


def file_flush(self):
    if self["kind"] == "FileIO":
        raw_check(self)
    else:
        buffered_flush(self)


def file_seek(self, target, whence):
    if self["kind"] == "FileIO":
        return raw_seek(self, target, whence)
    return buffered_seek(self, target, whence)


def file_tell(self):
    if self["kind"] == "FileIO":
        return raw_seek(self, 0, 1)
    return buffered_tell(self)


def file_truncate(self, size):
    if self["kind"] == "FileIO":
        return raw_truncate(self, size)
    return buffered_truncate(self, size)


def file_close(self):
    if self["kind"] == "FileIO":
        raw_close(self)
    else:
        buffered_close(self)


def file_seekable(self):
    return raw_seekable(self if self["kind"] == "FileIO" else self["raw"])


def file_isatty(self):
    return raw_isatty(self if self["kind"] == "FileIO" else self["raw"])


def file_readlines(self, hint):
    lines = []
    size = 0
    while True:
        line = file_readline(self, -1)
        if not line:
            return lines
        lines.append(line)
        size += len(line)
        if 0 < hint <= size:
            return lines


def file_writelines(self, lines):
    if (self if self["kind"] == "FileIO" else self["raw"])["fd"] < 0:
        raise ValueError("I/O operation on closed file.")
    for line in lines:
        file_write(self, line)
