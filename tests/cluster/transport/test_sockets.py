"""Messages over Unix sockets: whole, in order, and told when nobody is there any more."""

import os
import socket
import stat
from pathlib import Path
from threading import Thread

import pytest

from cluster.transport.sockets import Hub, HungUp, Line, NoLine, call, new_token, private_path


def pair() -> tuple[Line, Line]:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    return Line(one), Line(other)


@pytest.mark.parametrize("size", [0, 1, 70_000, (128 << 10) - 4, (128 << 10) - 3, 3_000_000])
def test_messages_of_any_size_come_whole_and_in_order(size: int) -> None:
    one, other = pair()
    messages = [bytes([number]) * size for number in range(1, 4)]
    sender = Thread(target=lambda: [one.send(message) for message in messages])
    sender.start()
    assert [other.take() for _ in messages] == messages
    sender.join()
    one.close()
    other.close()


def test_two_who_send_at_the_same_time_do_not_wait_for_each_other_for_ever() -> None:
    one, other = pair()
    large = bytes(5_000_000)
    got = []

    def talk(line: Line) -> None:
        line.send(large)
        got.append(line.take())

    sender = Thread(target=talk, args=(one,), daemon=True)
    sender.start()
    talk(other)
    sender.join(60)
    assert got == [large, large]
    one.close()
    other.close()


def test_a_message_that_is_late_is_taken_when_it_is_whole() -> None:
    first, second = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    line = Line(second)
    line.wait_for(0.01)
    for part in (b"\x05\0", b"\0\0ab", b"cde\x01\0\0\0"):
        with pytest.raises(TimeoutError):
            line.take()
        first.send(part)
    assert line.take() == b"abcde"
    with pytest.raises(TimeoutError):
        line.take()
    first.send(b"f")
    assert line.take() == b"f"
    first.close()
    line.close()


def test_who_is_gone_is_noticed_by_those_who_wait_and_those_who_send() -> None:
    one, other = pair()
    one.send(b"last words")
    one.close()
    assert other.take() == b"last words"
    with pytest.raises(HungUp):
        other.take()
    with pytest.raises(HungUp):
        other.send(b"hello?")
    other.close()


def test_a_length_that_is_none_ends_the_line() -> None:
    first, second = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    first.send(b"\xff\xff\xff\xff")
    line = Line(second)
    with pytest.raises(HungUp, match="is none"):
        line.take()
    first.close()
    line.close()


def test_lines_have_the_numbers_that_the_callers_say() -> None:
    token = new_token()
    with private_path() as path:
        hub = Hub(path, token, 3)
        callers = {number: call(path, token, number) for number in (2, 0, 1)}
        lines = hub.lines(5.0)
    for number, line in enumerate(lines):
        callers[number].send(str(number).encode())
        assert line.take() == str(number).encode()
        line.close()
        callers[number].close()


def test_only_those_who_know_the_token_get_a_line() -> None:
    token = new_token()
    with private_path() as path:
        hub = Hub(path, token, 1)
        strangers = [call(path, new_token(), 0), call(path, token, 1), call(path, b"", 0)]
        friend = call(path, token, 0)
        [line] = hub.lines(5.0)
        with pytest.raises(NoLine):  # it listens no longer
            call(path, token, 0)
    for stranger in strangers:
        with pytest.raises(HungUp):
            stranger.take()
        stranger.close()
    friend.send(b"here")
    assert line.take() == b"here"
    line.close()
    friend.close()


def test_a_caller_that_does_not_come_is_told() -> None:
    token = new_token()
    with private_path() as path:
        hub = Hub(path, token, 2)
        one = call(path, token, 1)
        with pytest.raises(NoLine, match="1 of 2 did not call"):
            hub.lines(0.01)
        with pytest.raises(HungUp):
            one.take()
        one.close()


def test_the_folder_is_nobody_elses_and_leaves_nothing() -> None:
    with private_path() as path:
        folder = Path(path).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(os.fsencode(path)) < 104
        Hub(path, new_token(), 1).close()
        assert Path(path).exists()
    assert not folder.exists()


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    for make in (lambda path: Hub(path, b"", 1), lambda path: call(path, b"", 0)):
        with pytest.raises(NoLine, match="No such file or directory"):
            make(str(tmp_path / "gone" / "hub"))


def test_a_long_place_for_temporary_files_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long" * 40)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(long))
    with private_path() as path:
        assert path.startswith("/tmp/smplab-")
