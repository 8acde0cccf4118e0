"""Replay strings: what they say comes back, and what is damaged is refused in one line."""

import base64
import binascii
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.race.schedule import (
    PREFIX,
    BadSchedule,
    Schedule,
    decode,
    digests_of,
    segments_of,
)

four_bytes = st.binary(min_size=4, max_size=4)
segments = st.lists(st.tuples(st.integers(-1100, 1 << 22), st.integers(1, 5000)), max_size=30).map(
    tuple
)
schedules = st.builds(
    Schedule,
    four_bytes,
    four_bytes,
    four_bytes,
    st.integers(0, (1 << 63) - 1),
    segments,
    st.lists(st.integers(0, 0xFFFF), max_size=30).map(tuple),
    st.integers(1, 1 << 20),
)

ONE = Schedule(b"code", b"scen", b"conf", 77, ((2, 5), (3, 1), (-1, 2), (2, 300)), (4711, 12))


def _string_of(data: bytes) -> str:
    """Return the string of bytes whatever they say, with the right checksum."""
    data += binascii.crc32(data).to_bytes(4, "big")
    return PREFIX + base64.b32encode(data).decode().rstrip("=").lower()


def _body(*rest: int, form: int = 1) -> bytes:
    return bytes((form, *b"codescenconf", *rest))


@given(schedules)
def test_a_string_says_what_the_schedule_was(schedule: Schedule) -> None:
    assert decode(schedule.encode()) == schedule


def test_a_string_may_be_broken_into_lines() -> None:
    text = ONE.encode()
    assert decode(f"  {text[:20]}\n    {text[20:41]}\r\n{text[41:]}\n") == ONE


@pytest.mark.parametrize("change", [0x01, 0x02, 0x10, 0x20, 0x40, 0x80, 0xFF])
def test_a_string_with_one_changed_character_is_refused(change: int) -> None:
    text = ONE.encode()
    for place, character in enumerate(text):
        damaged = text[:place] + chr(ord(character) ^ change) + text[place + 1 :]
        with pytest.raises(BadSchedule) as error:
            decode(damaged)
        assert "\n" not in str(error.value)


def test_a_string_that_is_cut_anywhere_is_refused() -> None:
    text = ONE.encode()
    for length in range(len(text)):
        with pytest.raises(BadSchedule):
            decode(text[:length])


def test_a_string_with_more_behind_it_is_refused() -> None:
    for more in ("a", "aa", "aaaaaaaa", "=", "!"):
        with pytest.raises(BadSchedule):
            decode(ONE.encode() + more)


@given(st.binary(max_size=60))
def test_bytes_with_a_right_checksum_are_a_schedule_in_its_own_form_or_refused(rest: bytes) -> None:
    text = _string_of(_body(*rest))
    try:
        schedule = decode(text)
    except BadSchedule:
        return
    assert schedule.encode() == text


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (_body(0, 16, 0, 0, form=2), "has format 2, and this is 1"),
        (_body(0, 0, 0, 0), "digests every 0 steps"),
        (_body(0, 16, 1, 4, 0, 0), "has 0 steps"),
        (_body(0, 16, 1, 4, *([0xFF] * 8), 1, 0), "a segment of the replay string has"),
        (_body(*([0xFF] * 10), 1, 16, 0, 0), "too large"),
        (_body(0, 16, 9, 4, 1), "ends within a number"),
        (_body(0, 16, 0, 3, 1, 1), "ends within a number"),
        (_body(0, 16, 0, 0, 7), "1 bytes too many"),
        (_body(0x80, 0, 16, 0, 0), "not in its own form"),
    ],
)
def test_what_is_wrong_with_a_string_is_told(data: bytes, told: str) -> None:
    with pytest.raises(BadSchedule, match=re.escape(told)):
        decode(_string_of(data))


@pytest.mark.parametrize("text", ["", "smp1", "smp2.aaaa", "sm p1", "smp1." + "a" * (1 << 21)])
def test_what_is_no_replay_string_is_refused(text: str) -> None:
    with pytest.raises(BadSchedule):
        decode(text)


def test_a_seed_that_does_not_come_back_is_not_put_into_a_string() -> None:
    for seed in (-1, 1 << 63):
        with pytest.raises(ValueError, match="seed"):
            Schedule(b"code", b"scen", b"conf", seed, ()).encode()


@given(st.lists(st.integers(-3, 3)))
def test_segments_are_the_runs_of_one_actor(actors: list[int]) -> None:
    found = segments_of(actors)
    assert all(one[0] != two[0] for one, two in pairwise(found))
    assert list(Schedule(b"", b"", b"", 0, found).actors()) == actors


@given(st.lists(st.sampled_from(["enter", "fork.lock", "exit.unlock"]), max_size=40), st.data())
def test_another_name_changes_every_digest_behind_it_and_none_before(
    names: list[str], data: st.DataObject
) -> None:
    before = digests_of(names, 4)
    assert len(before) == len(names) // 4
    if not before:
        return
    place = data.draw(st.integers(0, len(before) * 4 - 1))
    after = digests_of([*names[:place], "another", *names[place + 1 :]], 4)
    first = place // 4
    assert after[:first] == before[:first]
    assert after[first] != before[first]
