"""Page frames: counts, order, exhaustion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import InvariantError, KernelError
from kernel.mm.frames import ZERO_PAGE, Frames
from kernel.uapi.errno_ import ENOMEM


def test_frame_freed_last_is_given_out_first() -> None:
    frames = Frames(10)
    first, second = frames.alloc(), frames.alloc()
    frames.put(first)
    frames.put(second)
    assert [frames.alloc(), frames.alloc()] == [second, first]


def test_no_frame_left_is_enomem_and_takes_nothing() -> None:
    frames = Frames(4)
    frames.alloc()
    with pytest.raises(KernelError) as failed:
        frames.alloc_bulk(3)
    assert failed.value.errno == ENOMEM
    assert frames.nr_free == 2
    assert frames.alloc_bulk(2) == [2, 3]
    with pytest.raises(KernelError):
        frames.alloc()


def test_frame_lives_until_its_last_reference() -> None:
    frames = Frames(4)
    frame = frames.alloc()
    frames.get(frame)
    frames.put(frame)
    assert frames.nr_used == 1
    frames.put(frame)
    assert frames.nr_used == 0
    assert frames.peak == 1


def test_freeing_twice_is_a_broken_invariant() -> None:
    frames = Frames(4)
    frame = frames.alloc()
    frames.put(frame)
    with pytest.raises(InvariantError):
        frames.put(frame)
    with pytest.raises(InvariantError):
        frames.put_bulk([frame])


def test_content_is_forgotten_with_the_frame() -> None:
    frames = Frames(4)
    frame = frames.alloc()
    frames.write(frame, 4090, b"abc")
    assert frames.read(frame, 4088, 8) == b"\0\0abc\0\0\0"
    frames.put(frame)
    assert frames.alloc() == frame
    assert frames.read(frame, 4090, 3) == b"\0\0\0"


def test_zero_page_is_never_counted_and_never_written() -> None:
    frames = Frames(4)
    before = frames.refs[ZERO_PAGE]
    frames.get_bulk([ZERO_PAGE, ZERO_PAGE])
    assert frames.put_bulk([ZERO_PAGE] * 5) == 0
    assert frames.refs[ZERO_PAGE] == before
    with pytest.raises(InvariantError):
        frames.write(ZERO_PAGE, 0, b"x")


@given(st.lists(st.integers(-3, 6), max_size=60))
def test_bulk_and_single_calls_agree_with_a_simple_model(steps: list[int]) -> None:
    frames = Frames(20)
    held: list[int] = []
    peak = 0
    for step in steps:
        if step > 0:
            if step > 19 - len(held):
                with pytest.raises(KernelError):
                    frames.alloc_bulk(step)
            else:
                held += frames.alloc_bulk(step)
        elif step == 0 and len(held) < 19:
            held.append(frames.alloc())
        elif held:
            frames.put_bulk(held[step:])
            del held[step:]
        assert len(set(held)) == len(held)
        peak = max(peak, len(held))
        assert (frames.nr_used, frames.nr_free, frames.peak) == (len(held), 19 - len(held), peak)


def test_reserved_frames_count_as_used_and_cannot_be_given_to_others() -> None:
    frames = Frames(6)
    frames.reserve(3)
    assert (frames.nr_used, frames.nr_free, frames.peak) == (3, 2, 3)
    assert len(frames.alloc_bulk(2)) == 2
    with pytest.raises(KernelError):
        frames.alloc()
    with pytest.raises(KernelError):
        frames.reserve(1)
    taken = frames.take_reserved(2)
    assert (frames.nr_used, frames.reserved) == (5, 1)
    frames.put_bulk(taken)
    frames.cancel(1)
    assert (frames.nr_used, frames.nr_free) == (2, 3)


def test_cancelling_a_reservation_twice_is_an_invariant_error() -> None:
    frames = Frames(6)
    frames.reserve(2)
    frames.cancel(2)
    with pytest.raises(InvariantError):
        frames.cancel(2)
