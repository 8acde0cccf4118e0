"""A schedule: who took each step of a run, and the string that stands for it.

An *actor* (``cluster.race.actors``) is a path in the kernel, named by its task's pid, or what makes
a CPU's stores visible. A schedule is the list of actors, step by step, those steps included at
which there was nothing to choose; *segments* are its runs of one actor. Between two segments lies a
context switch, so a schedule with few of them is easy to read.

A replay string is ``smp1.`` and base32 (RFC 4648, lower case, no padding) of::

    format          1 byte, 1
    code            4 bytes: of the hash of the program's source files
    scenario        4 bytes: of the hash of the guest program and what it is given
    config          4 bytes: of the hash of the machine
    seed            varint
    every           varint: k, between two digests of labels
    segments        varint: how many; for each: the actor (zigzag varint), its steps (varint)
    digests         varint: how many; 2 bytes each
    crc32           4 bytes, of all before

Numbers of more than one byte are big-endian. Each k-th step carries a digest of the names of all
steps so far, so a replay that goes another way is told at the first such step after it did, and the
names themselves (``labels``) tell the very step where both are known.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "smp1."
FORMAT: Final = 1
DIGEST_EVERY: Final = 16
_LONGEST: Final = 1 << 20  # characters of a string
_MOST_STEPS: Final = 10_000_000
_SEED_BOUND: Final = 1 << 63

Segment = tuple[int, int]  # actor, steps


class BadSchedule(Exception):
    """A replay string is damaged, or of another version; the message is one line."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a replay string says.

    Attributes:
        code, scenario, config: hashes, 4 bytes each.
        segments: who took how many steps.
        digests: of the names of the steps, one for every ``every`` of them.
    """

    code: bytes
    scenario: bytes
    config: bytes
    seed: int
    segments: tuple[Segment, ...]
    digests: tuple[int, ...] = ()
    every: int = DIGEST_EVERY

    def actors(self) -> Iterator[int]:
        """Yield who takes each step."""
        for actor, steps in self.segments:
            for _ in range(steps):
                yield actor

    @property
    def switches(self) -> int:
        """How often somebody else goes on; a machine that did not boot has no step."""
        return max(0, len(self.segments) - 1)

    def encode(self) -> str:
        """Return the string.

        Raises:
            ValueError: the seed is not in 0 .. 2**63 - 1.
        """
        if not 0 <= self.seed < _SEED_BOUND:
            raise ValueError(f"a seed is at least 0 and below 2**63 (got {self.seed})")
        data = bytearray((FORMAT,))
        data += self.code + self.scenario + self.config
        _put(data, self.seed)
        _put(data, self.every)
        _put(data, len(self.segments))
        for actor, steps in self.segments:
            _put(data, actor << 1 if actor >= 0 else (-actor << 1) - 1)
            _put(data, steps)
        _put(data, len(self.digests))
        for digest in self.digests:
            data += digest.to_bytes(2, "big")
        data += binascii.crc32(data).to_bytes(4, "big")
        return PREFIX + base64.b32encode(data).decode().rstrip("=").lower()


def decode(text: str) -> Schedule:
    """Return what a replay string says.

    Raises:
        BadSchedule: it is none, is damaged, or is of a later version.
    """
    text = "".join(text.split())
    if not text.startswith(PREFIX):
        raise BadSchedule(f"a replay string begins with {PREFIX} (got {text[:12]!r})")
    body = text[len(PREFIX) :].upper()
    if len(body) > _LONGEST:
        raise BadSchedule(f"a replay string has at most {_LONGEST} characters (got {len(body)})")
    try:
        data = base64.b32decode(body + "=" * (-len(body) % 8))
    except (binascii.Error, ValueError):
        alien = set(body) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        what = (
            "has characters that are not base32" if alien else "was cut, or has too many characters"
        )
        raise BadSchedule(f"the replay string {what}") from None
    if len(data) < 20:
        raise BadSchedule("the replay string is cut short")
    if binascii.crc32(data[:-4]).to_bytes(4, "big") != data[-4:]:
        raise BadSchedule("the checksum of the replay string is wrong: it was changed or cut")
    if data[0] != FORMAT:
        raise BadSchedule(f"the replay string has format {data[0]}, and this is {FORMAT}")
    reader = _Reader(data[13:-4])
    seed, every = reader.number(), reader.number()
    segments = []
    steps_left = _MOST_STEPS
    for _ in range(reader.number()):
        folded, steps = reader.number(), reader.number()
        steps_left -= steps
        if steps < 1 or steps_left < 0:
            raise BadSchedule(f"a segment of the replay string has {steps} steps")
        segments.append((folded >> 1 if not folded & 1 else -((folded + 1) >> 1), steps))
    digests = tuple(reader.two_bytes() for _ in range(reader.number()))
    reader.finish()
    if every < 1:
        raise BadSchedule("the replay string has digests every 0 steps")
    schedule = Schedule(data[1:5], data[5:9], data[9:13], seed, tuple(segments), digests, every)
    if schedule.encode() != text:  # capitals, bits behind the last byte, numbers that are too long
        raise BadSchedule("the replay string is not in its own form: it was changed")
    return schedule


def segments_of(actors: Iterable[int]) -> tuple[Segment, ...]:
    """Return the runs of one actor in a list of actors."""
    found: list[list[int]] = []
    for actor in actors:
        if found and found[-1][0] == actor:
            found[-1][1] += 1
        else:
            found.append([actor, 1])
    return tuple((actor, steps) for actor, steps in found)


def digests_of(names: Iterable[str], every: int = DIGEST_EVERY) -> tuple[int, ...]:
    """Return the digest of all names up to each ``every``-th."""
    crc = 0
    digests = []
    for step, name in enumerate(names, 1):
        crc = binascii.crc32(name.encode(), crc)
        if not step % every:
            digests.append((crc ^ crc >> 16) & 0xFFFF)
    return tuple(digests)


def _put(data: bytearray, number: int) -> None:
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)


class _Reader:
    """Reads numbers; whatever is cut or too large is a BadSchedule."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value
            shift += 7
            if shift > 63:
                raise BadSchedule("a number of the replay string is too large")

    def two_bytes(self) -> int:
        return self._byte() << 8 | self._byte()

    def _byte(self) -> int:
        if self._place >= len(self._data):
            raise BadSchedule("the replay string ends within a number")
        self._place += 1
        return self._data[self._place - 1]

    def finish(self) -> None:
        left = len(self._data) - self._place
        if left:
            raise BadSchedule(f"the replay string has {left} bytes too many")
