"""Slab caches against the figures of a live /proc/slabinfo."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import InvariantError, KernelError
from kernel.mm.frames import Frames
from kernel.mm.slab import SlabCache

# object size -> (objperslab, pagesperslab) as a 2-CPU machine shows them
LIVE = {
    5824: (5, 8),
    1600: (20, 8),
    2112: (15, 8),
    1152: (14, 4),
    704: (23, 4),
    192: (21, 1),
}


@pytest.mark.parametrize("size", sorted(LIVE))
def test_slabs_are_as_large_as_linux_makes_them(size: int) -> None:
    cache = SlabCache("x", size, Frames(100), 2)
    assert (cache.objperslab, cache.pagesperslab) == LIVE[size]


def test_objects_fill_a_slab_before_the_next_one_is_made() -> None:
    frames = Frames(100)
    cache = SlabCache("x", 1152, frames, 2)
    objects = [cache.alloc() for _ in range(15)]
    assert len(set(objects)) == 15
    assert (cache.active_objs, cache.num_objs, frames.nr_used) == (15, 28, 8)
    cache.free(objects[3])
    assert cache.alloc() not in objects[4:]
    assert cache.num_objs == 28


def test_object_freed_last_is_used_first() -> None:
    cache = SlabCache("x", 192, Frames(100), 2)
    first, second = cache.alloc(), cache.alloc()
    cache.free(first)
    cache.free(second)
    assert [cache.alloc(), cache.alloc()] == [second, first]


def test_empty_slabs_beyond_the_minimum_give_their_frames_back() -> None:
    frames = Frames(1000)
    cache = SlabCache("x", 1152, frames, 2)
    objects = cache.alloc_bulk(14 * 20)
    assert frames.nr_used == 80
    cache.free_bulk(objects)
    assert cache.active_objs == 0
    assert len(cache.slabs) <= cache.min_partial + 1
    assert frames.nr_used == cache.pagesperslab * len(cache.slabs)
    assert cache.num_objs == cache.objperslab * len(cache.slabs)


def test_no_frames_for_a_slab_takes_nothing() -> None:
    frames = Frames(6)
    cache = SlabCache("x", 1152, frames, 2)
    with pytest.raises(KernelError):
        cache.alloc_bulk(20)
    assert cache.active_objs == 0
    cache.recount()


def test_freeing_twice_is_noticed() -> None:
    cache = SlabCache("x", 1152, Frames(100), 2)
    objects = cache.alloc_bulk(15)
    for number in objects[:14]:
        cache.free(number)
    with pytest.raises(InvariantError):
        cache.free(objects[0])
        cache.recount()


@given(st.lists(st.integers(-20, 20), max_size=50))
def test_counts_agree_whatever_is_allocated_and_freed(steps: list[int]) -> None:
    frames = Frames(2000)
    cache = SlabCache("x", 1152, frames, 2)
    held: list[int] = []
    for step in steps:
        if step > 0:
            held += cache.alloc_bulk(step)
        else:
            cache.free_bulk(held[: -step * 2 : 2])
            del held[: -step * 2 : 2]
        assert len(set(held)) == len(held) == cache.active_objs
        cache.recount()
        assert frames.nr_used == cache.nr_pages


def test_plain_allocation_gives_each_object_frames_of_its_own_and_takes_them_back() -> None:
    frames = Frames(100)
    cache = SlabCache("x", 5824, frames, 2, packed=False)
    objects = [cache.alloc() for _ in range(5)]
    assert (len(set(objects)), cache.nr_pages, cache.active_objs) == (5, 10, 5)
    for number in objects:
        cache.free(number)
    assert (cache.nr_pages, cache.active_objs) == (2, 0)  # of the one that is kept
