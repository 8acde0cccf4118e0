import errno
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.trace import (
    CHUNK_RECORDS,
    TraceError,
    TraceReader,
    TraceWriter,
    drain_chunks,
    encode_chunk,
)
from cluster.trace.format import FOOTER, PREAMBLE
from kernel.events import EVENTS, SCHED_PROCESS_FORK, SCHED_SWITCH, SCHED_WAKEUP

LPS = ("cpu0", "cpu1", "kernel")


def switch(time_ns: int, prev: int, following: int) -> tuple[Any, ...]:
    return (time_ns, SCHED_SWITCH, "a", prev, 120, 1, "b", following, 120)


def fork(time_ns: int, cpu: int, parent: int, child: int) -> tuple[Any, ...]:
    return (time_ns, SCHED_PROCESS_FORK, cpu, "a", parent, "a", child)


def write(path: Path, streams: dict[int, list[list[tuple[Any, ...]]]]) -> None:
    with TraceWriter(path, LPS) as writer:
        for lp, chunks in sorted(streams.items()):
            for chunk in chunks:
                writer.append(lp, encode_chunk(chunk))


def small(path: Path) -> None:
    write(
        path,
        {
            0: [[switch(10, 0, 2), switch(20, 2, 0)], [switch(30, 0, 3)]],
            1: [[switch(15, 0, 4), switch(20, 4, 5)]],
            2: [[fork(25, 1, 4, 6), fork(12, 0, 2, 5)], [fork(20, 0, 2, 7)]],
        },
    )


def every_record(path: Path) -> list[tuple[int, int, int]]:
    with TraceReader(path) as reader:
        return [(record.time_ns, record.lp, record.seq) for record in reader.select()]


def test_records_come_back_merged_by_time_then_process_then_number(tmp_path: Path) -> None:
    small(tmp_path / "t")
    assert every_record(tmp_path / "t") == [
        *((10, 0, 0), (12, 2, 1), (15, 1, 0), (20, 0, 1), (20, 1, 1), (20, 2, 2)),
        *((25, 2, 0), (30, 0, 2)),
    ]


def test_fields_have_the_names_of_the_tracepoint(tmp_path: Path) -> None:
    small(tmp_path / "t")
    with TraceReader(tmp_path / "t") as reader:
        record = next(reader.select(event="sched_process_fork"))
    assert record.fields == {
        "parent_comm": "a",
        "parent_pid": 2,
        "child_comm": "a",
        "child_pid": 5,
    }
    assert (record.event, record.cpu) == ("sched_process_fork", 0)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"lp": 1}, [15, 20]),
        ({"pid": 5}, [12, 20]),
        ({"pid": 4}, [15, 20, 25]),
        ({"cpu": 1}, [15, 20, 25]),
        ({"event": "sched_process_fork"}, [12, 20, 25]),
        ({"from_ns": 15, "to_ns": 25}, [15, 20, 20, 20]),
        ({"from_ns": 21, "cpu": 0}, [30]),
        ({"to_ns": 10}, []),
    ],
)
def test_select_keeps_what_meets_every_condition(
    tmp_path: Path, condition: dict[str, Any], expected: list[int]
) -> None:
    small(tmp_path / "t")
    with TraceReader(tmp_path / "t") as reader:
        assert [record.time_ns for record in reader.select(**condition)] == expected


def test_an_unknown_event_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    small(tmp_path / "t")
    with TraceReader(tmp_path / "t") as reader, pytest.raises(TraceError) as error:
        reader.select(event="sched_swich")
    assert "no event 'sched_swich'" in str(error.value)
    assert "sched_switch, sched_wakeup" in str(error.value)


def test_current_is_what_the_last_switch_before_that_time_chose(tmp_path: Path) -> None:
    small(tmp_path / "t")
    with TraceReader(tmp_path / "t") as reader:
        assert reader.current_at(10) == {}
        assert reader.current_at(20) == {0: ("b", 2), 1: ("b", 4)}
        assert reader.current_at(100) == {0: ("b", 3), 1: ("b", 5)}


def test_a_file_describes_its_own_events(tmp_path: Path) -> None:
    small(tmp_path / "t")
    with TraceReader(tmp_path / "t") as reader:
        assert reader.events == EVENTS
        assert reader.lps == LPS
        assert reader.records == [3, 2, 3]
        assert reader.complete


def test_the_same_chunks_in_the_same_order_give_the_same_bytes(tmp_path: Path) -> None:
    small(tmp_path / "a")
    small(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# Chunks

_fields = st.one_of(st.integers(-(2**63), 2**64 - 1), st.text(max_size=20))
_record = st.tuples(st.integers(0, 2**63 - 1), st.sampled_from(sorted(EVENTS))).flatmap(
    lambda head: st.tuples(
        st.just(head[0]),
        st.just(head[1]),
        *[_fields] * len(EVENTS[head[1]][1]),
    )
)


@settings(max_examples=60, deadline=None)
@given(
    streams=st.lists(
        st.lists(st.lists(_record, min_size=1, max_size=6), max_size=4), min_size=3, max_size=3
    )
)
def test_whatever_is_written_is_read_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, streams: list[list[list[tuple[Any, ...]]]]
) -> None:
    path = tmp_path_factory.mktemp("trace") / "t"
    streams[2] = [[(*r[:2], -1, *r[2:]) for r in chunk] for chunk in streams[2]]
    write(path, dict(enumerate(streams)))
    expected = sorted(
        (record[0], lp, seq, list(record[3 if lp == 2 else 2 :]))
        for lp, chunks in enumerate(streams)
        for seq, record in enumerate(record for chunk in chunks for record in chunk)
    )
    with TraceReader(path) as reader:
        found = [
            (record.time_ns, record.lp, record.seq, list(record.fields.values()))
            for record in reader.select()
        ]
    assert found == expected


def test_a_file_name_that_is_no_text_survives(tmp_path: Path) -> None:
    write(tmp_path / "t", {0: [[(5, SCHED_WAKEUP, "caf\udce9", 1, 120, 0)]]})
    with TraceReader(tmp_path / "t") as reader:
        assert next(reader.select()).fields["comm"] == "caf\udce9"


def test_chunks_are_cut_by_number_of_records_alone() -> None:
    records = [switch(time_ns, 0, 1) for time_ns in range(3 * CHUNK_RECORDS + 7)]
    at_once, in_steps = list(records), []
    chunks = drain_chunks(at_once)
    stepwise: list[bytes] = []
    for start in range(0, len(records), 1000):
        in_steps += records[start : start + 1000]
        stepwise += drain_chunks(in_steps)
    assert stepwise == chunks == drain_chunks(list(records))
    assert len(chunks) == 3 and len(at_once) == len(in_steps) == 7
    assert drain_chunks(at_once, final=True) == drain_chunks(in_steps, final=True)
    assert at_once == [] and drain_chunks(at_once, final=True) == []


@pytest.mark.parametrize("count", [0, CHUNK_RECORDS + 1])
def test_a_chunk_of_no_or_too_many_records_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="a chunk has 1 to 4096 records"):
        encode_chunk([switch(0, 0, 1)] * count)


@pytest.mark.parametrize("chunk", [b"", b"\x93", b"\xc0", b"\x93\xc0\xc0\x90", b"\x91\x01"])
def test_what_is_no_chunk_is_refused(tmp_path: Path, chunk: bytes) -> None:
    with TraceWriter(tmp_path / "t", LPS) as writer, pytest.raises(TraceError, match="not a trace"):
        writer.append(0, chunk)


# Files that are cut or damaged


@pytest.mark.slow
def test_a_file_cut_anywhere_is_readable_up_to_the_cut(tmp_path: Path) -> None:
    small(tmp_path / "whole")
    data = (tmp_path / "whole").read_bytes()
    whole = every_record(tmp_path / "whole")
    path = tmp_path / "cut"
    counts = []
    for length in range(len(data)):
        path.write_bytes(data[:length])
        try:
            with TraceReader(path) as reader:
                assert not reader.complete
                found = [(r.time_ns, r.lp, r.seq) for r in reader.select()]
        except TraceError as error:
            assert "cut in its preamble" in str(error)
            assert counts == []
            continue
        assert found == [record for record in whole if record in found]
        counts.append(len(found))
    assert counts == sorted(counts)
    assert sorted(set(counts)) == [0, 2, 3, 5, 7, 8]


@pytest.mark.slow
def test_a_flipped_bit_anywhere_is_an_error_or_a_cut_and_never_wrong_records(
    tmp_path: Path,
) -> None:
    small(tmp_path / "whole")
    data = bytearray((tmp_path / "whole").read_bytes())
    whole = every_record(tmp_path / "whole")
    path = tmp_path / "flipped"
    for place in range(PREAMBLE.size - 8, len(data)):
        data[place] ^= 0x10
        path.write_bytes(data)
        data[place] ^= 0x10
        try:
            found = every_record(path)
        except TraceError as error:
            assert str(path) in str(error)
        else:
            assert set(found) <= set(whole)


def test_a_run_that_fails_leaves_a_file_without_trailer(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), TraceWriter(tmp_path / "t", LPS) as writer:
        writer.append(0, encode_chunk([switch(1, 0, 1)]))
        raise KeyboardInterrupt
    with TraceReader(tmp_path / "t") as reader:
        assert not reader.complete
        assert len(list(reader.select())) == 1


def test_a_killed_process_leaves_a_readable_file(tmp_path: Path) -> None:
    script = f"""
import sys; from pathlib import Path
from cluster.trace import TraceWriter, encode_chunk
writer = TraceWriter(Path(sys.argv[1]), {LPS!r})
number = 0
while True:
    first = number // 3 * 1000
    name = (0, "a") if number % 3 == 2 else ("a",)
    writer.append(number % 3, encode_chunk([(first + n, 9, *name, n, 120) for n in range(1000)]))
    number += 1
    if number == 50: print("go", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "t")], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    with TraceReader(tmp_path / "t") as reader:
        assert not reader.complete
        assert reader.records[0] - reader.records[2] in (0, 1000)
        assert reader.records[0] > 0
        for lp in range(3):
            times = [record.time_ns for record in reader.select(lp=lp)]
            assert times == list(range(reader.records[lp]))


def test_encoding_a_record_takes_well_under_a_microsecond() -> None:
    records = [switch(1000 * number, number, number + 1) for number in range(CHUNK_RECORDS)]
    best_s = 1.0
    for _ in range(5):
        started = time.perf_counter()
        encode_chunk(records)
        best_s = min(best_s, time.perf_counter() - started)
    assert best_s / CHUNK_RECORDS < 1e-6  # 0.4 us on an idle machine


def test_a_missing_chunk_is_an_error(tmp_path: Path) -> None:
    small(tmp_path / "t")
    data = (tmp_path / "t").read_bytes()
    with TraceReader(tmp_path / "t") as reader:
        first, second = sorted(ref.offset for ref in reader._chunks)[:2]
    (tmp_path / "t").write_bytes((data[:first] + data[second:])[: -FOOTER.size])
    with pytest.raises(TraceError, match="a chunk is missing"):
        TraceReader(tmp_path / "t")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "was cut in its preamble"),
        (b"SMPT", "was cut in its preamble"),
        (b"hello, world; this is text", "is not a trace file"),
        (PREAMBLE.pack(b"SMPT\r\n\x1a\n", 9, 0, 0, 0), "is of version 9; this program reads 1"),
        (PREAMBLE.pack(b"SMPT\r\n\x1a\n", 1, 0, 2, 0) + b"ab", "wrong checksum"),
        (PREAMBLE.pack(b"SMPT\r\n\x1a\n", 1, 0, 1, zlib.crc32(b"\x80")) + b"\x80", "is damaged"),
    ],
)
def test_other_files_are_refused_with_the_reason(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "t").write_bytes(data)
    with pytest.raises(TraceError, match=message):
        TraceReader(tmp_path / "t")


def test_a_wrong_number_of_fields_is_told_when_it_is_read(tmp_path: Path) -> None:
    write(tmp_path / "t", {1: [[(5, SCHED_WAKEUP, "a")]]})
    with TraceReader(tmp_path / "t") as reader, pytest.raises(TraceError) as error:
        list(reader.select())
    assert str(error.value).endswith("record 0 of cpu1: sched_wakeup has 4 fields (got 1)")


@pytest.mark.parametrize("values", [(), ("a", 1, 120, 0)])
def test_a_kernel_record_without_cpu_is_told_when_it_is_read(
    tmp_path: Path, values: tuple[Any, ...]
) -> None:
    write(tmp_path / "t", {2: [[(5, SCHED_WAKEUP, *values)]]})
    with TraceReader(tmp_path / "t") as reader, pytest.raises(TraceError) as error:
        list(reader.select())
    assert "record 0 of kernel: sched_wakeup does not say on which CPU" in str(error.value)


def test_a_full_disk_is_reported_and_does_not_hang(tmp_path: Path) -> None:
    writer = TraceWriter(tmp_path / "t", LPS)
    real = writer._file

    class Full:
        closed = False

        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def flush(self) -> None: ...

        def close(self) -> None:
            self.closed = True
            real.close()

    writer._file = Full()  # type: ignore[assignment]
    chunk = encode_chunk([switch(1, 0, 1)])
    with pytest.raises(TraceError, match="No space left"):
        for _ in range(1000):
            writer.append(0, chunk)
    with pytest.raises(TraceError, match="No space left"):
        writer.close()
    writer.close()


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    small(tmp_path / "t")
    with pytest.raises(FileExistsError):
        TraceWriter(tmp_path / "t", LPS)
