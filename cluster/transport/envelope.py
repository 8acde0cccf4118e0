"""Messages over a way that may lose, repeat, disorder and damage them: envelopes and their rules.

A packet is an envelope and what it carries:

    u32 crc (of all that follows), u8 kind, u32 run, u32 incarnation, u16 sender, u64 seq, payload

All integers are little-endian. ``run`` is drawn for each run, ``incarnation`` counts the sets of
actors that it has had, ``seq`` numbers the questions to one actor. There is one question at a time:
whoever asks does so again until it has the answer, and whoever is asked makes each turn once.

- A packet that is damaged, cut or of another run does not exist.
- Asked what it has answered last, an actor repeats the answer and makes no turn; asked anything
  older, it says nothing. A number beyond the next one is a bug of the asker.
- Asked by another incarnation than its own, an actor says STALE, and does nothing. An answer of
  another incarnation, or to another question than the last, is thrown away. So neither side ever
  acts on what belongs to actors before or after it.
"""

import struct
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

_CRC: Final = struct.Struct("<I")
_REST: Final = struct.Struct("<BIIHQ")
_HEAD_BYTES: Final = _CRC.size + _REST.size

ASK: Final = 1
ANSWER: Final = 2
STALE: Final = 3


class Envelope(NamedTuple):
    """What is on a packet."""

    kind: int
    run: int
    incarnation: int
    sender: int
    seq: int


def seal(envelope: Envelope, payload: bytes) -> bytes:
    """Return the packet that carries ``payload``."""
    rest = _REST.pack(*envelope) + payload
    return _CRC.pack(zlib.crc32(rest)) + rest


def unseal(packet: bytes) -> tuple[Envelope, bytes] | None:
    """Return envelope and payload of a packet; None: it is damaged."""
    if len(packet) < _HEAD_BYTES or zlib.crc32(packet[4:]) != _CRC.unpack_from(packet)[0]:
        return None
    envelope = Envelope(*_REST.unpack_from(packet, _CRC.size))
    return (envelope, packet[_HEAD_BYTES:]) if ASK <= envelope.kind <= STALE else None


class Answering:
    """The side of an actor.

    Args:
        run: which run it is of.
        incarnation: of which set of actors.
        sender: its number.
        answer: makes a turn: returns the answer to a question.

    Attributes:
        counts: how often what was refused or repeated.
    """

    def __init__(
        self, run: int, incarnation: int, sender: int, answer: Callable[[bytes], bytes]
    ) -> None:
        self._run = run
        self._incarnation = incarnation
        self._sender = sender
        self._answer = answer
        self._last_seq = 0
        self._last = b""
        self.counts: Counter[str] = Counter()

    def take(self, packet: bytes) -> bytes | None:
        """Return the packet that answers one that has arrived; None: there is nothing to say."""
        found = unseal(packet)
        if found is None:
            self.counts["damaged"] += 1
            return None
        envelope, payload = found
        if envelope.kind != ASK or envelope.run != self._run:
            self.counts["foreign"] += 1
            return None
        if envelope.incarnation != self._incarnation:
            self.counts["stale"] += 1
            return self._packet(STALE, envelope.seq, b"")
        if envelope.seq == self._last_seq:
            self.counts["repeated"] += 1
            return self._last
        if envelope.seq < self._last_seq:
            self.counts["old"] += 1
            return None
        if envelope.seq != self._last_seq + 1:
            raise AssertionError(f"question {envelope.seq} comes after {self._last_seq}")
        self._last = self._packet(ANSWER, envelope.seq, self._answer(payload))
        self._last_seq = envelope.seq
        return self._last

    def _packet(self, kind: int, seq: int, payload: bytes) -> bytes:
        return seal(Envelope(kind, self._run, self._incarnation, self._sender, seq), payload)


class Asking:
    """The side of whoever asks one actor.

    Args:
        run: which run it is of.
        incarnation: of the actor.
        actor: its number.
    """

    def __init__(self, run: int, incarnation: int, actor: int) -> None:
        self._run = run
        self._incarnation = incarnation
        self._actor = actor
        self._seq = 0
        self._packet = b""
        self._answer: bytes | None = None
        self.counts: Counter[str] = Counter()

    def ask(self, payload: bytes) -> None:
        """Begin the next question; ``packet`` is what to send, as often as it takes."""
        self._seq += 1
        envelope = Envelope(ASK, self._run, self._incarnation, self._actor, self._seq)
        self._packet = seal(envelope, payload)
        self._answer = None

    @property
    def packet(self) -> bytes:
        """The packet of the question."""
        return self._packet

    @property
    def answer(self) -> bytes | None:
        """The answer to the question; None: there is none yet."""
        return self._answer

    def take(self, packet: bytes) -> None:
        """Take what has arrived from the actor, or pretends to have."""
        found = unseal(packet)
        if found is None:
            self.counts["damaged"] += 1
            return
        envelope, payload = found
        ours = (ANSWER, self._run, self._incarnation, self._actor)
        if envelope[:4] != ours:
            self.counts["stale"] += 1
        elif envelope.seq != self._seq or self._answer is not None:
            self.counts["old"] += 1
        else:
            self._answer = payload
