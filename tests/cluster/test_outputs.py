from pathlib import Path

import pytest

from cluster.outputs import FOOTER, PREAMBLE, Output, OutputError, OutputReader, OutputWriter, Piece

WRITES = [
    ("a.stdout", b"one\n"),
    ("b.1.stderr", b"\x00\xff"),
    ("a.stdout", b""),
    ("a.stderr", b"oops\n"),
    ("a.stdout", b"two\n"),
    ("../c/\udcff.stdout", b"x" * 300_000),
]


def written(path: Path, writes: list[tuple[str, bytes]] = WRITES, *, close: bool = True) -> Path:
    writer = OutputWriter(path)
    for name, data in writes:
        writer.append(name, data)
    if close:
        writer.close()
    else:
        assert writer._file is not None
        writer._file.flush()
    return path


def test_what_was_written_is_read_by_label_and_stream(tmp_path: Path) -> None:
    with OutputReader(written(tmp_path / "o")) as reader:
        assert reader.complete
        assert reader.labels() == ["a", "b.1", "../c/\udcff"]
        assert reader.read("a", "stdout") == b"one\ntwo\n"
        assert reader.read("a", "stderr") == b"oops\n"
        assert reader.read("b.1", "stdout") == b""
        assert reader.read("nobody", "stdout") == b""
        assert reader.size("../c/\udcff", "stdout") == 300_000


def test_writes_come_back_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    with OutputReader(written(tmp_path / "o")) as reader:
        assert list(reader.pieces({"a", "b.1"})) == [
            Piece("a", "stdout", b"one\n"),
            Piece("b.1", "stderr", b"\x00\xff"),
            Piece("a", "stderr", b"oops\n"),
            Piece("a", "stdout", b"two\n"),
        ]
        assert len(list(reader.pieces())) == 5


def test_empty_writes_make_no_file(tmp_path: Path) -> None:
    path = written(tmp_path / "o", [("a.stdout", b""), ("b.stdout", b"")])
    assert not path.exists()
    with OutputReader(path) as reader:
        assert reader.outputs == [] and reader.complete and list(reader.pieces()) == []


def test_a_killed_run_leaves_what_it_wrote(tmp_path: Path) -> None:
    with OutputReader(written(tmp_path / "o", close=False)) as reader:
        assert not reader.complete
        assert reader.read("a", "stdout") == b"one\ntwo\n"
        assert reader.size("../c/\udcff", "stdout") == 300_000


def test_a_file_cut_anywhere_reads_up_to_there(tmp_path: Path) -> None:
    whole = written(tmp_path / "o", WRITES[:5]).read_bytes()
    cut = tmp_path / "cut"
    for size in range(PREAMBLE.size, len(whole)):
        cut.write_bytes(whole[:size])
        with OutputReader(cut) as reader:
            assert not reader.complete
            assert b"one\ntwo\n".startswith(reader.read("a", "stdout"))
            assert all(one.size > 0 for one in reader.outputs)


def test_the_index_says_what_a_walk_would_find(tmp_path: Path) -> None:
    path = written(tmp_path / "o")
    with OutputReader(path) as reader:
        indexed: list[Output] = reader.outputs
    path.write_bytes(path.read_bytes()[: -FOOTER.size])
    with OutputReader(path) as reader:
        assert reader.outputs == indexed


def test_data_of_the_last_second_reaches_the_file_at_the_next_flush(tmp_path: Path) -> None:
    now_s = 10.0
    writer = OutputWriter(tmp_path / "o", clock=lambda: now_s)
    writer.append("a.stdout", b"one\n")
    writer.flush()
    assert (tmp_path / "o").stat().st_size == 0
    now_s += 1.0
    writer.flush()
    with OutputReader(tmp_path / "o") as reader:
        assert reader.read("a", "stdout") == b"one\n"
    writer.close()


def test_the_same_writes_make_the_same_file(tmp_path: Path) -> None:
    one, other = written(tmp_path / "1"), written(tmp_path / "2")
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("content", [b"", b"x", b"SMPO\r\n\x1a\n", b"SMPT\r\n\x1a\n\1\0\0\0"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "o").write_bytes(content)
    with pytest.raises(OutputError, match="is no file of outputs"):
        OutputReader(tmp_path / "o")


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "o")
    data = bytearray(path.read_bytes())
    data[8] = 9
    path.write_bytes(data)
    with pytest.raises(OutputError, match="has version 9, this smplab reads 1"):
        OutputReader(path)


def test_a_changed_byte_is_told_and_never_taken_for_output(tmp_path: Path) -> None:
    path = written(tmp_path / "o", WRITES[:5])
    whole = path.read_bytes()
    with OutputReader(path) as reader:
        right = list(reader.pieces())
    for place in range(PREAMBLE.size, len(whole)):
        data = bytearray(whole)
        data[place] ^= 1
        path.write_bytes(data)
        try:
            with OutputReader(path) as reader:
                pieces = list(reader.pieces())
        except OutputError:
            continue
        assert pieces == right[: len(pieces)], place
