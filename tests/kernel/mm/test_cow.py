"""Copy-on-write, faults and mappings. The numbers are those of the host kernel's minor faults."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import FaultSignal, KernelError
from kernel.events import PAGE_FAULT_USER
from kernel.machine import ImageSpec
from kernel.mm.madvise import MADV_DOFORK, MADV_DONTFORK, MADV_DONTNEED, sys_madvise
from kernel.mm.mlock import sys_mlock
from kernel.mm.mm import dup_mm, mm_alloc, mmput
from kernel.mm.mm_types import PTE_SHIFT, PTE_WRITE, TEXT_START
from kernel.mm.mmap import sys_load, sys_mmap, sys_munmap, sys_store, sys_touch
from kernel.mm.rss import get_mm_hiwater_rss, get_mm_rss
from kernel.uapi.errno_ import EINVAL, ENOMEM, EPERM
from kernel.uapi.mman import (
    MAP_ANONYMOUS,
    MAP_NORESERVE,
    MAP_PRIVATE,
    MAP_SHARED,
    PAGE_SHIFT,
    PAGE_SIZE,
)
from kernel.uapi.rlimit import RLIMIT_MEMLOCK

PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS
SHARED = MAP_SHARED | MAP_ANONYMOUS
IMAGE = ImageSpec("prog")


def faults(k: Any, task: Any, address: int, pages: int, write: bool) -> dict[str, int]:
    """Touch pages as ``task``; return the number of faults by kind."""
    k.trace.clear()
    k.as_task(task, sys_touch, address, 0, pages, write)
    kinds: dict[str, int] = {}
    for _now_ns, event, _cpu, *record in k.trace:
        assert event == PAGE_FAULT_USER
        kinds[record[3]] = kinds.get(record[3], 0) + 1
    k.check_memory()
    return kinds


def test_read_maps_the_zero_page_and_the_first_write_allocates(mini: Any) -> None:
    address = mini.call(sys_mmap, 64 * PAGE_SIZE, PRIVATE)
    used = mini.frames.nr_used
    assert faults(mini, mini.current, address, 64, False) == {"zero": 64}
    assert mini.frames.nr_used == used
    assert faults(mini, mini.current, address, 64, True) == {"anon": 64}
    assert mini.frames.nr_used == used + 64
    assert faults(mini, mini.current, address, 64, True) == {}
    assert mini.current.min_flt == 128


def test_child_copies_what_it_writes_and_the_parent_reuses_after_one_fault(mini: Any) -> None:
    address = mini.call(sys_mmap, 64 * PAGE_SIZE, PRIVATE)
    faults(mini, mini.current, address, 64, True)
    child = mini.fork()
    assert faults(mini, child, address, 64, False) == {}
    assert faults(mini, child, address, 64, True) == {"cow_copy": 64}
    assert faults(mini, mini.current, address, 64, True) == {"cow_reuse": 64}
    assert faults(mini, mini.current, address, 64, True) == {}
    assert (mini.stats.cow_copied, mini.stats.cow_reused) == (64, 64)


def test_parent_that_writes_first_copies_and_the_child_reuses(mini: Any) -> None:
    address = mini.call(sys_mmap, 8 * PAGE_SIZE, PRIVATE)
    faults(mini, mini.current, address, 8, True)
    child = mini.fork()
    assert faults(mini, mini.current, address, 8, True) == {"cow_copy": 8}
    assert faults(mini, child, address, 8, True) == {"cow_reuse": 8}


def test_page_shared_until_the_child_exits_is_reused_after_one_fault(mini: Any) -> None:
    address = mini.call(sys_mmap, 8 * PAGE_SIZE, PRIVATE)
    faults(mini, mini.current, address, 8, True)
    child = mini.fork()
    mini.call(mmput, child.mm)
    assert faults(mini, mini.current, address, 8, True) == {"cow_reuse": 8}


def test_three_holders_copy_until_the_last_one_reuses(mini: Any) -> None:
    address = mini.call(sys_mmap, PAGE_SIZE, PRIVATE)
    faults(mini, mini.current, address, 1, True)
    first, second = mini.fork(), mini.fork()
    assert faults(mini, second, address, 1, True) == {"cow_copy": 1}
    assert faults(mini, mini.current, address, 1, True) == {"cow_copy": 1}
    assert faults(mini, first, address, 1, True) == {"cow_reuse": 1}


def test_zero_page_is_copied_to_nobody(mini: Any) -> None:
    address = mini.call(sys_mmap, 8 * PAGE_SIZE, PRIVATE)
    faults(mini, mini.current, address, 8, False)
    child = mini.fork()
    assert faults(mini, child, address, 8, False) == {}
    assert faults(mini, child, address, 8, True) == {"anon": 8}
    assert faults(mini, mini.current, address, 8, True) == {"anon": 8}


def test_shared_mapping_is_faulted_in_again_by_the_child(mini: Any) -> None:
    address = mini.call(sys_mmap, 64 * PAGE_SIZE, SHARED)
    assert faults(mini, mini.current, address, 64, True) == {"shared": 64}
    writer, reader = mini.fork(), mini.fork()
    assert faults(mini, writer, address, 64, True) == {"shared": 64}
    # a read fault maps those pages of its aligned 64 KiB that are there
    first = address >> PAGE_SHIFT
    windows = len({page // 16 for page in range(first, first + 64)})
    assert faults(mini, reader, address, 64, False) == {"shared": windows}
    assert faults(mini, reader, address, 64, True) == {}
    assert faults(mini, mini.current, address, 64, True) == {}


def test_shared_pages_live_until_the_last_mapping_is_gone(mini: Any) -> None:
    used = mini.frames.nr_used
    address = mini.call(sys_mmap, 4 * PAGE_SIZE, SHARED)
    mini.call(sys_store, address, 0, b"hello")
    child = mini.fork()
    mini.call(sys_munmap, address, 4 * PAGE_SIZE)
    assert mini.as_task(child, sys_load, address, 0, 5) == b"hello"
    mini.as_task(child, sys_munmap, address, 4 * PAGE_SIZE)
    mini.check_memory()
    slab_pages = sum(cache.nr_pages for cache in mini.slabs.values())
    assert mini.frames.nr_used - slab_pages <= used


def test_private_content_is_copied_and_shared_content_is_not(mini: Any) -> None:
    private = mini.call(sys_mmap, 2 * PAGE_SIZE, PRIVATE)
    shared = mini.call(sys_mmap, 2 * PAGE_SIZE, SHARED)
    for address in (private, shared):
        mini.call(sys_store, address, PAGE_SIZE - 2, b"abcd")
    child = mini.fork()
    for address in (private, shared):
        mini.as_task(child, sys_store, address, PAGE_SIZE - 1, b"XY")
    assert mini.call(sys_load, private, PAGE_SIZE - 2, 4) == b"abcd"
    assert mini.as_task(child, sys_load, private, PAGE_SIZE - 2, 4) == b"aXYd"
    assert mini.call(sys_load, shared, PAGE_SIZE - 2, 4) == b"aXYd"
    mini.check_memory()


def test_untouched_memory_reads_as_zeros(mini: Any) -> None:
    address = mini.call(sys_mmap, 10, PRIVATE)
    assert mini.call(sys_load, address, 0, PAGE_SIZE) == bytes(PAGE_SIZE)


@pytest.mark.parametrize("write", [False, True])
def test_access_outside_every_area_is_sigsegv(mini: Any, write: bool) -> None:
    address = mini.call(sys_mmap, PAGE_SIZE, PRIVATE)
    with pytest.raises(FaultSignal) as fault:
        mini.call(sys_touch, address, 1, 1, write)
    signal = fault.value
    assert (signal.signal, signal.code, signal.address) == (11, 1, address + PAGE_SIZE)
    assert mini.stats.segfaults == 1


def test_write_to_program_text_is_sigsegv_with_accerr(mini: Any) -> None:
    task = mini.new_task(image=IMAGE)
    mini.as_task(task, sys_touch, TEXT_START << PAGE_SHIFT, 0, 1, False)
    with pytest.raises(FaultSignal) as fault:
        mini.as_task(task, sys_touch, TEXT_START << PAGE_SHIFT, 0, 1, True)
    assert (fault.value.signal, fault.value.code) == (11, 2)


def test_mmap_refuses_what_linux_refuses(mini: Any) -> None:
    for length, flags, errno in (
        (0, PRIVATE, EINVAL),
        (10, MAP_ANONYMOUS, EINVAL),
        (10, PRIVATE | SHARED, EINVAL),
        (1 << 46, PRIVATE, ENOMEM),
        (1 << 50, PRIVATE, ENOMEM),
    ):
        with pytest.raises(KernelError) as failed:
            mini.call(sys_mmap, length, flags)
        assert failed.value.errno == errno


def test_mappings_go_downwards_and_gaps_are_used_again(mini: Any) -> None:
    first, second, third = (mini.call(sys_mmap, 2 * PAGE_SIZE, PRIVATE) for _ in range(3))
    assert first - second == second - third == 2 * PAGE_SIZE
    mini.call(sys_munmap, second, 2 * PAGE_SIZE)
    assert mini.call(sys_mmap, 3 * PAGE_SIZE, PRIVATE) == third - 3 * PAGE_SIZE
    assert mini.call(sys_mmap, PAGE_SIZE, PRIVATE) == second + PAGE_SIZE
    assert mini.slabs["vm_area_struct"].active_objs == len(mini.current.mm.vmas)


def test_munmap_after_fork_leaves_the_child_its_pages(mini: Any) -> None:
    address = mini.call(sys_mmap, 4 * PAGE_SIZE, PRIVATE)
    mini.call(sys_store, address, 0, b"mine")
    child = mini.fork()
    mini.call(sys_munmap, address, 4 * PAGE_SIZE)
    mini.check_memory()
    assert mini.as_task(child, sys_load, address, 0, 4) == b"mine"
    with pytest.raises(FaultSignal):
        mini.call(sys_load, address, 0, 4)
    assert faults(mini, child, address, 1, True) == {"cow_reuse": 1}


def test_munmap_of_the_middle_leaves_two_areas(mini: Any) -> None:
    address = mini.call(sys_mmap, 6 * PAGE_SIZE, PRIVATE)
    mini.call(sys_touch, address, 0, 6, True)
    used = mini.frames.nr_used
    mini.call(sys_munmap, address + 2 * PAGE_SIZE, 2 * PAGE_SIZE - 7)
    assert mini.frames.nr_used == used - 2
    mini.call(sys_touch, address, 0, 2, True)
    mini.call(sys_touch, address, 4, 2, True)
    with pytest.raises(FaultSignal):
        mini.call(sys_touch, address, 2, 1, False)
    assert mini.slabs["vm_area_struct"].active_objs == len(mini.current.mm.vmas) == 2
    mini.check_memory()


def test_an_eager_fork_copies_every_page_and_neither_side_faults(make_mini: Any) -> None:
    k = make_mini(fork="eager")
    address = k.call(sys_mmap, 8 * PAGE_SIZE, PRIVATE)
    k.call(sys_store, address, 0, b"before")
    k.call(sys_touch, address, 0, 8, True)
    used, now = k.frames.nr_used, k.now_ns
    child = k.fork()
    assert k.frames.nr_used >= used + 8
    assert k.now_ns - now >= 8 * k.costs.copy_page
    assert k.stats.pages_copied_by_fork == 8
    k.call(sys_store, address, 0, b"after!")
    assert k.as_task(child, sys_load, address, 0, 6) == b"before"
    assert faults(k, child, address, 8, True) == {}
    assert faults(k, k.current, address, 8, True) == {}
    k.check_memory()


def test_an_eager_fork_without_room_for_the_copies_changes_nothing(make_mini: Any) -> None:
    k = make_mini(fork="eager", memory_bytes=600 * PAGE_SIZE)
    address = k.call(sys_mmap, 400 * PAGE_SIZE, PRIVATE)
    k.call(sys_touch, address, 0, 400, True)
    used, committed = k.frames.nr_used, k.frames.committed
    with pytest.raises(KernelError) as failed:
        dup_mm(k, k.current.mm)
    assert failed.value.errno == ENOMEM
    assert (k.frames.nr_used, k.frames.committed) == (used, committed)
    k.check_memory()


def test_advice_cuts_an_area_and_joins_it_again(mini: Any) -> None:
    address = mini.call(sys_mmap, 8 * PAGE_SIZE, PRIVATE)
    areas = len(mini.current.mm.vmas)
    mini.call(sys_madvise, address + 2 * PAGE_SIZE, 3 * PAGE_SIZE, MADV_DONTFORK)
    assert len(mini.current.mm.vmas) == areas + 2
    assert mini.current.mm.nr_fork_rules == 1
    mini.call(sys_madvise, address, 8 * PAGE_SIZE, MADV_DOFORK)
    assert len(mini.current.mm.vmas) == areas
    assert mini.current.mm.nr_fork_rules == 0
    mini.check_memory()


def test_a_child_without_a_dontfork_area_shares_the_rest_copy_on_write(mini: Any) -> None:
    address = mini.call(sys_mmap, 8 * PAGE_SIZE, PRIVATE)
    mini.call(sys_touch, address, 0, 8, True)
    mini.call(sys_madvise, address, 4 * PAGE_SIZE, MADV_DONTFORK)
    child = mini.fork()
    mini.check_memory()
    assert faults(mini, mini.current, address, 4, True) == {}  # nobody else has these
    assert faults(mini, child, address + 4 * PAGE_SIZE, 4, True) == {"cow_copy": 4}
    assert faults(mini, mini.current, address + 4 * PAGE_SIZE, 4, True) == {"cow_reuse": 4}
    mini.check_memory()


def test_mlock_brings_pages_in_and_breaks_sharing(mini: Any) -> None:
    address = mini.call(sys_mmap, 4 * PAGE_SIZE, PRIVATE)
    mini.call(sys_touch, address, 0, 2, True)
    child = mini.fork()
    mini.as_task(child, sys_mlock, address, 4 * PAGE_SIZE)
    assert child.mm.locked_vm == 4
    assert faults(mini, child, address, 4, True) == {}
    mini.check_memory()


@pytest.mark.parametrize(("soft", "errno"), [(0, EPERM), (2 * PAGE_SIZE, ENOMEM)])
def test_mlock_of_an_unprivileged_task_is_bounded(mini: Any, soft: int, errno: int) -> None:
    task = mini.new_task(uid=1000)
    task.signal.rlim = {RLIMIT_MEMLOCK: (soft, soft)}
    address = mini.as_task(task, sys_mmap, 4 * PAGE_SIZE, PRIVATE)
    with pytest.raises(KernelError) as failed:
        mini.as_task(task, sys_mlock, address, 3 * PAGE_SIZE)
    assert failed.value.errno == errno
    assert task.mm.locked_vm == 0


def test_strict_overcommit_refuses_what_it_could_not_keep(make_mini: Any) -> None:
    k = make_mini(memory_bytes=1000 * PAGE_SIZE, overcommit_memory=2, overcommit_ratio=50)
    k.call(sys_mmap, 300 * PAGE_SIZE, PRIVATE)
    for flags in (PRIVATE, SHARED, PRIVATE | MAP_NORESERVE):
        with pytest.raises(KernelError) as failed:
            k.call(sys_mmap, 300 * PAGE_SIZE, flags)
        assert failed.value.errno == ENOMEM
    with pytest.raises(KernelError) as failed:
        dup_mm(k, k.current.mm)
    assert failed.value.errno == ENOMEM
    k.check_memory()


def test_without_a_limit_memory_may_be_promised_many_times(make_mini: Any) -> None:
    k = make_mini(memory_bytes=1000 * PAGE_SIZE, overcommit_memory=1)
    for _ in range(5):
        k.call(sys_mmap, 5000 * PAGE_SIZE, PRIVATE)
    assert k.frames.committed >= 25_000
    k.check_memory()


def test_resident_pages_are_counted_without_the_zero_page(mini: Any) -> None:
    mm = mini.current.mm
    rss = get_mm_rss(mm)
    address = mini.call(sys_mmap, 8 * PAGE_SIZE, PRIVATE)
    mini.call(sys_touch, address, 0, 6, False)
    assert get_mm_rss(mm) == rss
    mini.call(sys_touch, address, 0, 4, True)
    assert get_mm_rss(mm) == rss + 4
    mini.call(sys_madvise, address, 8 * PAGE_SIZE, MADV_DONTNEED)
    assert (get_mm_rss(mm), get_mm_hiwater_rss(mm)) == (rss, rss + 4)
    mini.check_memory()


def test_exec_image_has_its_pages_at_once_and_exit_gives_them_back(mini: Any) -> None:
    image = ImageSpec("other", text_pages=5, data_pages=3, bss_pages=2, stack_pages=1)
    mini.call(mmput, mm_alloc(mini, image))  # fills the page cache
    used, now = mini.frames.nr_used, mini.now_ns
    mm = mm_alloc(mini, image)
    assert mini.frames.nr_used == used + 6
    assert mini.now_ns - now == 8 * mini.costs.load_page + 3 * mini.costs.zero_page
    now = mini.now_ns
    mini.call(mmput, mm)
    assert mini.frames.nr_used == used
    costs = mini.costs
    assert mini.now_ns - now == (5 * costs.exit_per_vma + 11 * costs.free_pte + 6 * costs.free_page)
    mini.check_memory()


def test_fork_counts_and_charges_every_pte_but_text(mini: Any) -> None:
    task = mini.new_task(image=IMAGE)
    now = mini.now_ns
    child = dup_mm(mini, task.mm)
    mini.mms.append(child)
    private = IMAGE.data_pages + IMAGE.bss_pages + IMAGE.stack_pages
    costs = mini.costs
    assert mini.stats.ptes_copied == private
    assert mini.now_ns - now == (
        costs.copy_mm + 5 * costs.copy_vma + private * costs.copy_pte + costs.tlb_flush
    )
    assert not any(pte & PTE_WRITE for pte in task.mm.pt.ptes.values())
    mapped = [pte >> PTE_SHIFT for mm in (task.mm, child) for pte in mm.pt.ptes.values()]
    assert {mapped.count(pte >> PTE_SHIFT) for pte in child.pt.ptes.values()} == {2}
    mini.check_memory()


def test_exec_out_of_memory_leaves_nothing_behind(make_mini: Any) -> None:
    k = make_mini(memory_bytes=100 * PAGE_SIZE)
    k.call(mmput, mm_alloc(k, IMAGE))
    k.frames.alloc_bulk(k.frames.nr_free - 3)
    free = k.frames.nr_free
    with pytest.raises(KernelError) as failed:
        mm_alloc(k, IMAGE)
    assert failed.value.errno == ENOMEM
    assert k.frames.nr_free == free


def test_two_tasks_that_write_one_page_at_once_both_copy(mini: Any) -> None:
    """Both see two references; the frame nobody wants any more is freed."""
    address = mini.call(sys_mmap, PAGE_SIZE, PRIVATE)
    mini.call(sys_store, address, 0, b"old")
    child = mini.fork()
    used = mini.frames.nr_used
    tasks = (mini.current, child)
    paths = []
    for task in tasks:
        mini.current = task
        path = sys_store(mini, address, 1, b"X")
        mini.walk(path, "wp_page_copy.copied")
        paths.append(path)
    for task, path in zip(tasks, paths, strict=True):
        mini.current = task
        mini.walk(path)
    mini.check_memory()
    assert mini.frames.nr_used == used + 1
    for task in tasks:
        assert mini.as_task(task, sys_load, address, 0, 3) == b"oXd"


def test_fork_in_the_middle_of_a_copy_is_noticed(mini: Any) -> None:
    address = mini.call(sys_mmap, PAGE_SIZE, PRIVATE)
    mini.call(sys_store, address, 0, b"old")
    mini.fork()
    thread = mini.thread()
    mini.current = thread
    path = sys_store(mini, address, 0, b"new")
    mini.walk(path, "wp_page_copy.copied")
    third = mini.fork()
    mini.walk(path)
    mini.check_memory()
    assert mini.as_task(third, sys_load, address, 0, 3) == b"old"
    assert mini.as_task(thread, sys_load, address, 0, 3) == b"new"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("rwfx"), st.integers(0, 5)), max_size=40)
)
def test_memory_of_every_process_is_its_own_whatever_they_do(
    make_mini: Any, steps: list[tuple[int, str, int]]
) -> None:
    """Each process's view equals that of a model in which fork copies everything."""
    k = make_mini()
    address = k.call(sys_mmap, 6 * PAGE_SIZE, PRIVATE)
    views = {k.current: [0] * 6}
    root = k.current
    serial = 0
    for who, action, page in steps:
        task = list(views)[who % len(views)]
        if action == "f" and len(views) < 5:
            k.current = task
            views[k.fork()] = views[task][:]
            k.current = root
        elif action == "w":
            serial += 1
            value = serial.to_bytes(2, "little")
            k.as_task(task, sys_store, address, page * PAGE_SIZE, value)
            views[task][page] = serial
        elif action == "r":
            data = k.as_task(task, sys_load, address, page * PAGE_SIZE, 2)
            assert int.from_bytes(data, "little") == views[task][page]
        elif action == "x" and task is not root:
            k.call(mmput, task.mm)
            del views[task]
        k.check_memory()
    for task, view in views.items():
        for page, value in enumerate(view):
            data = k.as_task(task, sys_load, address, page * PAGE_SIZE, 2)
            assert int.from_bytes(data, "little") == value
