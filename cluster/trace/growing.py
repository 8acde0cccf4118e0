"""A trace that is read while its run writes it.

The file grows by whole chunks. What a stream has beyond them comes from elsewhere, piece by piece
(``cluster.watched``): a *tail* begins where a chunk or a tail ends, and does not reach beyond the
end of the chunk that will hold its records. Once that chunk is in the file, the tail is dropped.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cluster.trace.chunks import ChunkRef
from cluster.trace.format import FOOTER, TraceError
from cluster.trace.reader import TraceReader, time_of
from cluster.trace.store import encode_chunk, peek_chunk

_TAILS = 1 << 32  # numbers of tails: chunks of a file have 32 bits


class GrowingTrace(TraceReader):
    """One trace that may grow; a ``TraceReader`` of what is known of it at any time.

    Attributes:
        known: records of each logical process, of the file and of tails.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.known = list(self.records)
        self._tails: dict[tuple[int, int], bytes] = {}

    def look(self) -> bool:
        """Look for chunks that have been added to the file; return whether there are some.

        Raises:
            TraceError: the file is another one now, or what was added is damaged.
            OSError: it is gone.
        """
        if self.complete:
            return False
        now = self.path.stat()
        if not os.path.samestat(now, os.fstat(self._file.fileno())) or now.st_size < self._whole:
            raise TraceError(f"{self.path} has been begun again")
        self._size = now.st_size
        before = self._whole
        added = self._number(self._walk(before))
        if added:
            self._drop_tails(added)
        ended = self._size >= self._whole + FOOTER.size and self._read_index() is not None
        if ended and self.known != self.records:
            raise TraceError(f"{self.path} ended before what was seen of it")
        return bool(added)

    def _drop_tails(self, added: Sequence[ChunkRef]) -> None:
        self._tails = {
            (lp, first): raw
            for (lp, first), raw in self._tails.items()
            if first >= self.records[lp]
        }
        stay = [
            ref for ref in self._chunks if ref.offset >= 0 or (ref.lp, ref.first_seq) in self._tails
        ]
        self._chunks = [*stay, *added]
        self.known = [max(pair) for pair in zip(self.known, self.records)]

    def add(self, lp: int, first: int, chunk: bytes) -> bool:
        """Take a tail; return False if what comes before it is not known yet.

        Args:
            lp: of which logical process.
            first: number of its first record in the stream.
            chunk: records as ``encode_chunk`` makes them.

        Raises:
            TraceError: it is no chunk, or of no such process.
        """
        if not 0 <= lp < len(self.known):
            raise TraceError(f"{self.path}: there is no logical process {lp}")
        records, min_ns, max_ns = peek_chunk(chunk)
        known = self.known[lp]
        if first + records <= known:
            return True
        if first > known:
            return False
        if first < known:  # who watches came before it was begun
            whole = ChunkRef(-1, lp, _TAILS + first, records, min_ns, max_ns, first)
            self._tails[lp, first] = chunk
            rest = self._rows(whole)[known - first :]
            del self._tails[lp, first]
            return self.add(lp, known, encode_chunk([tuple(row) for row in rest]))
        self._chunks.append(ChunkRef(-1, lp, _TAILS + first, records, min_ns, max_ns, first))
        self._tails[lp, first] = chunk
        self.known[lp] = first + records
        return True

    def after(self, told: Sequence[int]) -> list[list[Any]]:
        """Return as one batch what is known beyond so many records of each logical process."""
        refs = [ref for ref in self._chunks if ref.first_seq + ref.records > told[ref.lp]]
        refs.sort(key=lambda ref: (self._cpus[ref.lp] is not None, ref.lp, ref.first_seq))
        rows: list[list[Any]] = []
        for ref in refs:
            rows += self._checked_rows(ref)[max(0, told[ref.lp] - ref.first_seq) :]
        rows.sort(key=time_of)
        return rows

    def span_ns(self) -> tuple[int, int]:
        """Return the times of the first and the last record that is known; 0 of none."""
        refs = self._chunks
        if not refs:
            return 0, 0
        return min(ref.min_ns for ref in refs), max(ref.max_ns for ref in refs)

    def common_ns(self) -> int:
        """Return until when all streams are known that have a chunk: there a cut one ends."""
        last: dict[int, int] = {}
        for ref in self._chunks:
            last[ref.lp] = max(last.get(ref.lp, 0), ref.max_ns)
        return min(last.values(), default=0)

    def _rows(self, ref: ChunkRef) -> list[list[Any]]:
        if ref.offset >= 0 or (ref.lp, ref.first_seq) in self._tails:
            return super()._rows(ref)
        # who goes along the trace began to when this was a tail; the chunk that has it is there now
        for chunk in self._chunks:
            start = ref.first_seq - chunk.first_seq
            if chunk.offset >= 0 and chunk.lp == ref.lp and 0 <= start < chunk.records:
                return super()._rows(chunk)[start : start + ref.records]
        raise AssertionError(f"no chunk has record {ref.first_seq} of {self.lps[ref.lp]}")

    def _load(self, ref: ChunkRef) -> bytes:
        return super()._load(ref) if ref.offset >= 0 else self._tails[ref.lp, ref.first_seq]
