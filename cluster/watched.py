"""A run that somebody watches tells what its trace does not have yet.

A trace grows by whole chunks, so its end is behind by up to 4095 records of every CPU, and a CPU
that does little is not seen at all. Two files in the directory of a run help who watches it:

    watched   touched about every second by who watches
    live      frames: what has come since the last one; only while the run is watched

``live`` says nothing that the trace will not have, but for locks and counters, so a run is the same
whether it is watched or not. While nobody watches nothing is written. Both files are gone when the
run has ended.

A frame is length and crc (u32, little-endian) of a zlib stream with one msgpack value: virtual
time, counters, locks, tails. A tail is (logical process, number of its first record, chunk); none
reaches over the end of a chunk of the trace. Data only: nothing in a frame is ever executed.
"""

import os
import struct
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import msgpack

from cluster.trace.tails import Tail

WATCHED: Final = "watched"
LIVE: Final = "live"
SHOW_S: Final = 0.4  # between two frames
STALE_S: Final = 10.0  # then nobody watches any more
_HEAD: Final = struct.Struct("<II")
_MOST_BYTES: Final = 256 << 20  # a frame that claims more is not ours


@dataclass(slots=True)
class Frame:
    """What a run tells of itself, between two rounds."""

    virtual_ns: int
    counters: dict[str, int]
    locks: list[dict[str, Any]]  # as ``LockStat.to_plain`` has them
    tails: list[Tail]


class Showing:
    """The side of the run. What cannot be written is not shown: the run is none the worse for it.

    Args:
        run: its directory.
        clock: host seconds, monotonic.
    """

    def __init__(self, run: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._watched, self._live = run / WATCHED, run / LIVE
        self._clock = clock
        self._next_s = 0.0
        self._touched_ns = 0
        self._changed_s = 0.0
        self._file: IO[bytes] | None = None

    @property
    def begins(self) -> bool:
        """Whether the next frame is the first: it needs all that is not in the trace."""
        return self._file is None

    def due(self) -> bool:
        """Return whether somebody watches, and the last frame is long enough ago."""
        now_s = self._clock()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + SHOW_S
        try:
            touched_ns = self._watched.stat().st_mtime_ns
        except OSError:
            self._hide()
            return False
        if touched_ns != self._touched_ns:
            self._touched_ns, self._changed_s = touched_ns, now_s
        elif now_s - self._changed_s > STALE_S:
            self.close()
            return False
        return True

    def write(self, frame: Frame) -> None:
        """Show a frame."""
        value = frame.virtual_ns, frame.counters, frame.locks, frame.tails
        body = zlib.compress(msgpack.packb(value), 1)
        try:
            if self._file is None:
                self._live.unlink(missing_ok=True)
                self._file = self._live.open("xb", buffering=0)
            self._file.write(_HEAD.pack(len(body), zlib.crc32(body)) + body)
        except OSError:
            self._next_s = self._clock() + STALE_S
            self.close()

    def close(self) -> None:
        """Remove both files. Again is allowed."""
        with suppress(OSError):
            self._watched.unlink(missing_ok=True)
        self._hide()

    def _hide(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            with suppress(OSError):
                self._live.unlink(missing_ok=True)


class Watching:
    """The side of who watches a run.

    Args:
        run: its directory.

    Attributes:
        heard: the run has told something.
    """

    def __init__(self, run: Path) -> None:
        self._watched, self._live = run / WATCHED, run / LIVE
        self._file: IO[bytes] | None = None
        self._at = 0
        self._touch_s = 0.0
        self.heard = False

    def look(self) -> list[Frame]:
        """Say that somebody watches; return what the run has told since the last call."""
        now_s = time.monotonic()
        if now_s >= self._touch_s:
            self._touch_s = now_s + 1.0
            with suppress(OSError):  # the directory of somebody else's run
                self._watched.touch()
        try:
            self._reopen()
            frames = self._read()
        except OSError:
            return []
        self.heard = self.heard or bool(frames)
        return frames

    def close(self) -> None:
        """Watch no longer. Another one that does says so again within a second."""
        with suppress(OSError):
            self._watched.unlink(missing_ok=True)
        self.begin_again()

    def begin_again(self) -> None:
        """Read from the beginning what there is at the next look: it is about another trace."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self.heard = False

    def _reopen(self) -> None:
        """Open the file, or the one that has taken its place."""
        there = self._live.stat()
        if self._file is not None:
            if os.path.samestat(there, os.fstat(self._file.fileno())):
                return
            self._file.close()
            self._file = None
        self._file, self._at = self._live.open("rb"), 0

    def _read(self) -> list[Frame]:
        assert self._file is not None
        self._file.seek(self._at)
        data = self._file.read()
        frames: list[Frame] = []
        at = 0
        while at + _HEAD.size <= len(data):
            length, crc = _HEAD.unpack_from(data, at)
            body = data[at + _HEAD.size : at + _HEAD.size + length]
            if length > _MOST_BYTES or len(body) < length:
                break
            frame = _frame(body, crc)
            if frame is None:
                break
            frames.append(frame)
            at += _HEAD.size + length
        self._at += at
        return frames


def _frame(body: bytes, crc: int) -> Frame | None:
    """Return what a frame says; None of one that is damaged."""
    if zlib.crc32(body) != crc:
        return None
    try:
        raw = zlib.decompressobj().decompress(body, _MOST_BYTES)
        virtual_ns, counters, locks, tails = msgpack.unpackb(raw)
        plain = {str(name): int(value) for name, value in dict(counters).items()}
        placed = [(int(lp), int(first), bytes(chunk)) for lp, first, chunk in tails]
        return Frame(int(virtual_ns), plain, list(locks), placed)
    except (zlib.error, ValueError, TypeError, msgpack.UnpackException):
        return None
