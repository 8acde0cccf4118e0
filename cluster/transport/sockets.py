"""Whole messages over Unix sockets, between processes of one host.

A *line* is a connection of two processes that speak in turns, or nearly so. A message is four bytes
of length and then itself; who waits for one sleeps in the kernel of the host, and a process that
dies hangs up by dying, whatever killed it. Both is what the channels of Ray's graphs cannot do:
their readers spin, and learn of a death from a third party.

Lines are made at a *hub*: one process listens at a file, the others call it, say a token that only
this run knows and their number. The file is in a folder that nobody else may enter, and both are
gone as soon as all have called. Who can call is on the same host: a file that other hosts see, too,
is no socket there.
"""

import os
import secrets
import select
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hmac import compare_digest
from pathlib import Path
from shutil import rmtree
from typing import Final

_LENGTH: Final = 4  # bytes, little-endian, before every message
_LARGEST: Final = 1 << 30  # no frame is longer; more is a length that is none
_FIRST_BUFFER: Final = 128 << 10
_LONGEST_PATH: Final = 100  # bytes; sun_path has room for 108, on some systems for 104
_TOKEN_BYTES: Final = 16
_NUMBER_BYTES: Final = 4
_STRANGERS: Final = 16  # who may call besides, and wait to be turned away
_CALL_S: Final = 10.0  # for a hub to hear that it is called


class HungUp(Exception):
    """Nobody is at the other end of a line: the process has died, or has closed it."""


class NoLine(Exception):
    """No line can be made; the message is one line of text."""


class Line:
    """One end of a connection. Not for several threads at once.

    Args:
        connection: a connected stream socket; the line closes it.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = bytearray(_FIRST_BUFFER)
        self._filled = 0

    def wait_for(self, seconds: float | None) -> None:
        """Let ``take`` wait so long and then raise TimeoutError; None: as long as it takes."""
        self._socket.settimeout(seconds)

    def fileno(self) -> int:
        """Return the descriptor, for who waits for several lines."""
        return self._socket.fileno()

    def holds_one(self) -> bool:
        """Return whether a message is here already, whole: the descriptor says nothing of it."""
        if self._filled < _LENGTH:
            return False
        return self._filled >= _LENGTH + int.from_bytes(self._buffer[:_LENGTH], "little")

    def send(self, message: bytes) -> None:
        """Send a message.

        Raises:
            HungUp: nobody is there any more.
        """
        length = len(message).to_bytes(_LENGTH, "little")
        try:
            sent = self._socket.sendmsg((length, message), (), socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise HungUp(error.strerror) from None
        if sent < _LENGTH + len(message):
            self._send_rest((length + message)[sent:])

    def _send_rest(self, rest: bytes) -> None:
        """Send what found no room; what comes meanwhile is read.

        Both ends may be sending: if each waited for the other to read, both would for ever.
        """
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN | select.POLLOUT)
        while rest:
            for _, events in waiting.poll():
                if events & select.POLLIN:
                    self._read(self._filled + _FIRST_BUFFER)
                if events & ~select.POLLIN:
                    rest = rest[self._send_some(rest) :]

    def _send_some(self, message: bytes) -> int:
        try:
            return self._socket.send(message, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise HungUp(error.strerror) from None

    def take(self) -> bytes:
        """Wait for the next message and return it.

        Raises:
            HungUp: nobody is there any more.
            TimeoutError: it did not come within the time of ``wait_for``; ask again, nothing of it
                is lost.
        """
        while True:
            size = _LENGTH
            if self._filled >= _LENGTH:
                size += int.from_bytes(self._buffer[:_LENGTH], "little")
                if self._filled >= size:
                    return self._cut(size)
                if size > _LARGEST:
                    raise HungUp(f"a message of {size} bytes is none")
            self._read(size)

    def _cut(self, size: int) -> bytes:
        message = bytes(memoryview(self._buffer)[_LENGTH:size])
        rest = self._filled - size
        if rest:
            self._buffer[:rest] = self._buffer[size : self._filled]
        self._filled = rest
        return message

    def _read(self, size: int) -> None:
        """Read what there is, with room for a message of ``size`` bytes."""
        if size > len(self._buffer):
            self._buffer.extend(bytes(size - len(self._buffer)))
        try:
            count = self._socket.recv_into(memoryview(self._buffer)[self._filled :])
        except TimeoutError:
            raise
        except OSError as error:
            raise HungUp(error.strerror) from None
        if not count:
            raise HungUp("the other end is closed")
        self._filled += count

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


class Hub:
    """Where lines are made: listens at ``path``.

    Args:
        path: of the file, which is not there yet.
        token: what a caller must know.
        lines: how many there will be.

    Raises:
        NoLine: nobody can listen there.
    """

    def __init__(self, path: str, token: bytes, lines: int) -> None:
        self._token = token
        self._lines = lines
        try:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        except (OSError, AttributeError) as error:  # a system without them
            raise NoLine(f"no Unix sockets: {error}") from None
        try:
            self._socket.bind(path)
            self._socket.listen(lines + _STRANGERS)
        except OSError as error:
            self._socket.close()
            raise NoLine(f"no socket in {Path(path).parent}: {error.strerror or error}") from None

    def lines(self, seconds: float) -> list[Line]:
        """Return the lines to all callers, in the order of their numbers, and stop to listen.

        Args:
            seconds: to wait for each.

        Raises:
            NoLine: somebody has not called.
        """
        found: dict[int, Line] = {}
        try:
            self._socket.settimeout(seconds)
            while len(found) < self._lines:
                connection, _ = self._socket.accept()
                line = Line(connection)
                number = self._number(line, seconds)
                if number is None or number in found or number >= self._lines:
                    line.close()  # nobody of ours
                    continue
                found[number] = line
        except OSError as error:
            for line in found.values():
                line.close()
            missing = self._lines - len(found)
            raise NoLine(f"{missing} of {self._lines} did not call: {error}") from None
        finally:
            self.close()
        return [found[number] for number in range(self._lines)]

    def _number(self, line: Line, seconds: float) -> int | None:
        """Return which number a caller has; None if it does not know the token."""
        line.wait_for(seconds)
        try:
            said = line.take()
        except (HungUp, TimeoutError):
            return None
        line.wait_for(None)
        if len(said) != _TOKEN_BYTES + _NUMBER_BYTES:
            return None
        known = compare_digest(said[:_TOKEN_BYTES], self._token)
        return int.from_bytes(said[_TOKEN_BYTES:], "little") if known else None

    def close(self) -> None:
        """Stop to listen."""
        self._socket.close()


def call(path: str, token: bytes, number: int) -> Line:
    """Return a line to the hub that listens at ``path``.

    Args:
        path: of its file.
        token: what it wants to hear.
        number: of this caller.

    Raises:
        NoLine: no hub is there, on this host.
    """
    connection = None
    try:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_CALL_S)
        connection.connect(path)
        line = Line(connection)
        line.wait_for(None)
        line.send(token + number.to_bytes(_NUMBER_BYTES, "little"))
    except (OSError, AttributeError, HungUp) as error:
        if connection is not None:
            connection.close()
        raise NoLine(f"nobody to be called in {Path(path).parent}: {error}") from None
    return line


def new_token() -> bytes:
    """Return what only those know who are told."""
    return secrets.token_bytes(_TOKEN_BYTES)


@contextmanager
def private_path() -> Iterator[str]:
    """Yield the path of a file to be, in a new folder that is nobody else's; remove both after.

    Raises:
        NoLine: there is no place where the path is short enough for a socket.
    """
    folder = _private_folder()
    try:
        yield f"{folder}/hub"
    finally:
        rmtree(folder, ignore_errors=True)


def _private_folder() -> str:
    places = (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp")
    for place in places:
        if place and len(os.fsencode(place)) <= _LONGEST_PATH - len("/smplab-12345678/hub"):
            try:
                return tempfile.mkdtemp(prefix="smplab-", dir=place)
            except OSError:
                continue
    raise NoLine(f"no folder for a socket in {', '.join(filter(None, places))}")
