"""Frames cut into pieces, so that no message is larger than the buffer of the channel it takes.

A channel of a compiled graph has a buffer of fixed size. Ray replaces a buffer that is too small
by a larger one, but closes only the first ones when the graph ends: an actor all of whose inputs
were replaced waits for ever. So a frame larger than ``limit`` travels in several supersteps'
turns: whoever has more to send sends the next piece whenever it is asked, and whoever has nothing
to say meanwhile answers with a *turn*. All groups get the same wires, so all of them make a step
in the same turn; the kernel makes its own when every group's report is whole.

What travels is called a *wire* here: a whole frame, a piece of one, or a turn. All three are
msgpack sequences whose first item tells them apart; the second one of what the kernel sends is a
head, so the engine can read it of any.
"""

from collections.abc import Callable
from typing import Any, Final

import msgpack

PIECE: Final = 4  # (PIECE, head or None, whether it is the last, bytes)
TURN: Final = 5  # (TURN, head or None)


def kind_of(wire: bytes) -> int:
    """Return the first item of a wire; 0 if it is no msgpack sequence that begins so."""
    return wire[1] if len(wire) > 1 and 0x91 <= wire[0] <= 0x9F else 0


def is_whole(wire: bytes) -> bool:
    """Return whether ``wire`` is a frame, and not a part of one or a turn."""
    return kind_of(wire) not in (PIECE, TURN)


def turn(head: Any = None) -> bytes:
    """Return the wire of one that has nothing to send."""
    wire: bytes = msgpack.packb((TURN, head))
    return wire


class Outbox:
    """Sends frames, in pieces where they are too large.

    Args:
        limit: most bytes of a piece; what msgpack adds is below 200 bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._at = 0
        self._head: Any = None
        self._last_head: Any = None

    @property
    def sending(self) -> bool:
        """Whether a frame is under way whose last piece has not been sent."""
        return bool(self._rest)

    def send(self, frame: bytes, head: Any = None, last_head: Any = None) -> bytes:
        """Return the first wire of ``frame``.

        Args:
            head: what every piece but the last shows as its head.
            last_head: what the last one shows.
        """
        if len(frame) <= self._limit:
            return frame
        self._rest, self._at = frame, 0
        self._head, self._last_head = head, last_head
        return self.next()

    def next(self) -> bytes:
        """Return the next piece of the frame under way."""
        start = self._at
        self._at = end = start + self._limit
        data = self._rest[start:end]
        last = end >= len(self._rest)
        if last:
            self._rest = b""
        wire: bytes = msgpack.packb((PIECE, self._last_head if last else self._head, last, data))
        return wire


class Inbox:
    """Puts frames together again."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def take(self, wire: bytes) -> bytes | None:
        """Return the frame that ``wire`` is or completes; None if there is more to come."""
        kind = kind_of(wire)
        if kind == TURN:
            return None
        if kind != PIECE:
            return wire
        _, _, last, data = msgpack.unpackb(wire)
        self._parts.append(data)
        if not last:
            return None
        frame = b"".join(self._parts)
        self._parts.clear()
        return frame


class Answerer:
    """The side of a group: answers each wire from the kernel with one of its own.

    Args:
        limit: as for ``Outbox``.
        answer: makes the report frame that answers a superstep frame.
    """

    def __init__(self, limit: int, answer: Callable[[bytes], bytes]) -> None:
        self._out = Outbox(limit)
        self._in = Inbox()
        self._answer = answer

    def take(self, wire: bytes) -> bytes:
        """Return the wire that answers ``wire``."""
        if self._out.sending:
            return self._out.next()
        frame = self._in.take(wire)
        if frame is None:
            return turn()
        return self._out.send(self._answer(frame))


class Gatherer:
    """The side of the kernel: gathers one whole report from every group, then answers them.

    Args:
        limit: as for ``Outbox``.
        groups: how many groups there are.
    """

    def __init__(self, limit: int, groups: int) -> None:
        self._out = Outbox(limit)
        self._ins = [Inbox() for _ in range(groups)]
        self._whole: list[bytes | None] = [None] * groups
        self._head: Any = None  # of the last whole superstep frame that was sent

    @property
    def sending(self) -> bool:
        """Whether a frame is under way to the groups."""
        return self._out.sending

    def gather(self, wires: tuple[bytes, ...]) -> list[bytes] | bytes:
        """Take a wire of every group; return their reports, or the wire to answer with so far."""
        if self._out.sending:
            return self._out.next()
        whole = self._whole
        for group, wire in enumerate(wires):
            if whole[group] is None:
                whole[group] = self._ins[group].take(wire)
        reports = [frame for frame in whole if frame is not None]
        if len(reports) < len(whole):
            return turn(self._head)
        self._whole = [None] * len(whole)
        return reports

    def send(self, frame: bytes, head: Any) -> bytes:
        """Return the first wire of the superstep frame ``frame``, whose head is ``head``.

        The head that ends the run is shown by the last piece only.
        """
        before, self._head = self._head, head
        return self._out.send(frame, before, head)

    def go_on_after(self, head: Any) -> None:
        """Stand where a whole frame with this head was sent last."""
        self._head = head

    def pause(self) -> bytes:
        """Return the wire that lets nobody make another step."""
        return turn(self._head)
