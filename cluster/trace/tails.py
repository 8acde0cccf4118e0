"""What the streams of a trace have beyond their last chunk, for who wants to see it early."""

from threading import Lock
from typing import Any

from cluster.trace.format import CHUNK_RECORDS
from cluster.trace.store import drain_chunks, encode_chunk

# logical process, number of the first record in its stream, records as ``encode_chunk`` makes them
Tail = tuple[int, int, bytes]


class Tails:
    """Streams whose whole chunks are taken off, and what comes after them is shown.

    One thread makes records and takes chunks; another one may ask for tails.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._drained: dict[int, int] = {}  # records that are gone, by logical process
        self._shown: dict[int, int] = {}

    def drain(self, lp: int, records: list[tuple[Any, ...]], *, final: bool) -> list[bytes]:
        """Take the whole chunks off a stream: ``drain_chunks``."""
        with self._lock:
            before = len(records)
            chunks = drain_chunks(records, final=final)
            self._drained[lp] = self._drained.get(lp, 0) + before - len(records)
        return chunks

    def show(self, lp: int, records: list[tuple[Any, ...]], *, again: bool) -> list[Tail]:
        """Return what a stream has that was neither taken nor shown yet.

        Args:
            lp: the logical process.
            records: its stream, without what was taken.
            again: also what was shown.
        """
        with self._lock:
            drained = self._drained.get(lp, 0)
            first = drained if again else max(drained, self._shown.get(lp, 0))
            new = records[first - drained :]
        self._shown[lp] = first + len(new)
        tails: list[Tail] = []
        start = 0
        while start < len(new):
            number = first + start
            end = start + CHUNK_RECORDS - number % CHUNK_RECORDS
            tails.append((lp, number, encode_chunk(new[start:end])))
            start = end
        return tails
