"""Reading a trace while it grows, and what comes earlier than its chunks."""

import random
from pathlib import Path
from typing import Any

import pytest

from cluster.trace import TraceError, TraceReader, TraceWriter, store, tails
from cluster.trace.growing import GrowingTrace
from cluster.trace.tails import Tails
from kernel.events import SCHED_PROCESS_FREE

LPS = ("cpu0", "cpu1", "kernel")
_KERNEL = 2


def _record(lp: int, number: int, time_ns: int) -> tuple[Any, ...]:
    fields = "task", number, 120
    return (time_ns, SCHED_PROCESS_FREE, *((0,) if lp == _KERNEL else ()), *fields)


class _Run:
    """A run that makes records at random, and a reader of what it writes and tells."""

    def __init__(self, path: Path) -> None:
        self.writer = TraceWriter(path, LPS)
        self.tails = Tails()
        self.streams: list[list[tuple[Any, ...]]] = [[] for _ in LPS]
        self.made = [0] * len(LPS)
        self.now_ns = 0
        self.reader = GrowingTrace(path)
        self.told = [0] * len(LPS)
        self.rows: list[list[Any]] = []

    def make(self, counts: tuple[int, ...]) -> None:
        for lp, count in enumerate(counts):
            for _ in range(count):
                self.now_ns += 1
                self.streams[lp].append(_record(lp, self.made[lp], self.now_ns))
                self.made[lp] += 1

    def drain(self, *, final: bool = False) -> None:
        for lp, stream in enumerate(self.streams):
            for chunk in self.tails.drain(lp, stream, final=final):
                self.writer.append(lp, chunk)
        self.writer.sync()

    def read(self, *, show: bool = True, again: bool = False) -> None:
        shown = []
        if show:
            for lp, stream in enumerate(self.streams):
                shown += self.tails.show(lp, stream, again=again)
        self.reader.look()
        for tail in shown:
            assert self.reader.add(*tail)
        self.rows += self.reader.after(self.told)
        self.told = list(self.reader.known)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (store, tails):
        monkeypatch.setattr(module, "CHUNK_RECORDS", 16)


def test_every_record_is_read_once_however_it_comes(small_chunks: None, tmp_path: Path) -> None:
    draw = random.Random(1)
    run = _Run(tmp_path / "t")
    for step in range(200):
        run.make((draw.randrange(30), draw.randrange(3), draw.randrange(10)))
        if draw.random() < 0.5:
            run.drain()
        if draw.random() < 0.5:
            run.read(again=step == 0 or draw.random() < 0.2)
    run.drain(final=True)
    run.writer.close()
    run.read(show=False)
    assert run.reader.complete
    for lp, made in enumerate(run.made):
        assert [row[-3] for row in run.rows if row[-1] == lp] == list(range(made))
    with TraceReader(tmp_path / "t") as whole:
        assert sorted(run.rows) == sorted(row for batch in whole.batches() for row in batch)


def test_what_is_known_can_be_read_by_time_in_parts(small_chunks: None, tmp_path: Path) -> None:
    run = _Run(tmp_path / "t")
    for _ in range(20):
        run.make((7, 1, 3))
        run.drain()
    run.read()
    everything = [row for batch in run.reader.batches() for row in batch]
    assert len(everything) == 220
    for begin, end in ((0, 50), (50, 51), (51, 1000), (1000, 2000)):
        part = [row for batch in run.reader.batches(begin, end) for row in batch]
        assert part == [row for row in everything if begin <= row[0] < end]


def test_who_goes_along_it_meets_chunks_that_were_tails_before(
    small_chunks: None, tmp_path: Path
) -> None:
    run = _Run(tmp_path / "t")
    for _ in range(10):
        run.make((7, 1, 3))
        run.read()
    batches = run.reader.batches()
    run.drain(final=True)
    run.read(show=False)
    assert [row for batch in batches for row in batch] == run.rows


def test_a_tail_without_what_comes_before_it_waits(tmp_path: Path) -> None:
    run = _Run(tmp_path / "t")
    run.make((5, 0, 0))
    chunk = store.encode_chunk(run.streams[0])
    assert not run.reader.add(0, 3, chunk)
    assert run.reader.known == [0, 0, 0]


def test_a_trace_that_is_begun_again_is_told_of(tmp_path: Path) -> None:
    run = _Run(tmp_path / "t")
    (tmp_path / "t").unlink()
    TraceWriter(tmp_path / "t", LPS).close()
    with pytest.raises(TraceError, match="begun again"):
        run.reader.look()
