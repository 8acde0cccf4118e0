"""Kernel stacks, and how x86 and PowerPC find the running task."""

from typing import Any

import pytest

from kernel.arch import arch_of, ppc, x86
from kernel.arch.stack import alloc_thread_info, free_thread_info
from kernel.errors import InvariantError, KernelError


@pytest.mark.parametrize("name", ["x86", "ppc"])
def test_current_is_found_from_the_register(make_mini: Any, name: str) -> None:
    k = make_mini(arch=name)
    tasks = [k.new_task() for _ in range(5)]
    for task in tasks:
        task.slot = k.slabs["task_struct"].alloc()
        task.stack = alloc_thread_info(k, task)
    for task in tasks:
        value = k.arch.register_value(k, task)
        assert k.arch.current_from_register(k, value) is task
    k.check_memory()


def test_any_address_inside_a_stack_leads_to_its_task(mini: Any) -> None:
    task = mini.current
    task.stack = alloc_thread_info(mini, task)
    size = mini.spec.thread_size
    assert task.stack % size == 0
    for offset in (0, 8, size // 2, size - 1):
        assert x86.current_from_sp(mini, task.stack + offset) is task
    for address in (task.stack - 1, task.stack + size):
        with pytest.raises(InvariantError):
            x86.current_from_sp(mini, address)


def test_register_of_powerpc_is_the_address_of_the_task_struct(make_mini: Any) -> None:
    k = make_mini(arch="ppc")
    task = k.current
    task.slot = k.slabs["task_struct"].alloc()
    task.stack = alloc_thread_info(k, task)
    assert ppc.register_value(k, task) == 0xC000_0000 + task.slot * 5824
    with pytest.raises(InvariantError):
        ppc.current_from_r2(k, ppc.register_value(k, task) + 4)


def test_stack_freed_last_is_used_first_and_frames_come_back(mini: Any) -> None:
    used = mini.frames.nr_used
    first = alloc_thread_info(mini, mini.current)
    second = alloc_thread_info(mini, mini.current)
    assert mini.frames.nr_used == used + 8
    free_thread_info(mini, first)
    assert alloc_thread_info(mini, mini.current) == first
    free_thread_info(mini, first)
    free_thread_info(mini, second)
    assert mini.frames.nr_used == used
    with pytest.raises(InvariantError):
        free_thread_info(mini, second)


def test_no_frames_for_a_stack_is_enomem(mini: Any) -> None:
    mini.frames.alloc_bulk(mini.frames.nr_free - 3)
    with pytest.raises(KernelError):
        alloc_thread_info(mini, mini.current)
    assert mini.frames.nr_free == 3


def test_unknown_architecture_is_refused() -> None:
    with pytest.raises(ValueError, match="vax"):
        arch_of("vax")
