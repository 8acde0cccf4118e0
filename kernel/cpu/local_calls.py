"""What the current task asks for: done here if it needs no kernel state, else asked for.

Source: arch entry code (do_syscall_64); the vDSO for the clocks.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel import messages as m
from kernel.cpu.position import HALT, move
from kernel.sched import core
from kernel.uapi import clone as c
from kernel.uapi import syscalls as nr
from kernel.uapi.clock import (
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_REALTIME,
    CLOCK_REALTIME_COARSE,
    CLOCK_TAI,
    CLOCK_THREAD_CPUTIME_ID,
    VDSO_CLOCKS,
)

if TYPE_CHECKING:
    from kernel.cpu.cpu import Cpu
    from kernel.cpu.task import CpuTask
    from kernel.user import Op

_NEEDS_SHARED_HEAP: Final = frozenset((nr.NR_VFORK, nr.NR_THREAD_START))
_CLONES: Final = frozenset((nr.NR_CLONE, nr.NR_CLONE3))  # likewise with CLONE_VM
# what a CPU does by itself
_LOCAL: Final = frozenset(
    (
        nr.NR_COMPUTE,
        nr.NR_GETPID,
        nr.NR_GETTID,
        nr.NR_PREEMPT_POINT,
        nr.NR_SCHED_YIELD,
        nr.NR_CLOCK_GETTIME,
        nr.NR_GETTIMEOFDAY,
        nr.NR_FATAL,
    )
)
# of these, what a C library asks the kernel for
_TRACED: Final = frozenset((nr.NR_GETPID, nr.NR_GETTID, nr.NR_SCHED_YIELD))


def enter(cpu: "Cpu", task: "CpuTask", op: "Op") -> None:
    """The current task's op is due: do it here if it needs no kernel state, else ask."""
    number = op[0]
    if number not in _LOCAL or (task.slow_door and number in _TRACED):
        ctx = None
        if not task.resident and (
            number in _NEEDS_SHARED_HEAP or (number in _CLONES and op[1] & c.CLONE_VM)
        ):
            ctx = task.ctx
            task.ctx = None
            task.resident = True
        cpu.call(task, op, ctx)
        return
    value: Any = None
    if number == nr.NR_COMPUTE:
        task.remaining_ns = op[1] + cpu.costs.compute_call
    elif number == nr.NR_GETPID:
        value = task.tgid
        if not value:
            cpu.call(task, op, None)
            return
    elif number == nr.NR_GETTID:
        if not task.tgid:
            cpu.call(task, op, None)
            return
        value = task.pid
    elif number == nr.NR_SCHED_YIELD:
        cpu.rq.clock_ns = cpu.now_ns
        core.yield_task(cpu.rq)
    elif number == nr.NR_CLOCK_GETTIME:
        value = _clock_gettime(cpu, task, op[1])
        if value is None:
            cpu.call(task, op, None)
            return
    elif number == nr.NR_GETTIMEOFDAY:
        value = cpu.epoch_ns + cpu.now_ns
    elif number == nr.NR_FATAL:
        cpu.out.append(m.req_fatal(cpu.now_ns, cpu.id, cpu.next_seq(), task.pid, op[1]))
        move(cpu, task, HALT)  # for ever: the run ends here
        return
    task.op = None
    task.value = value


def _clock_gettime(cpu: "Cpu", task: "CpuTask", clock: int) -> int | None:
    """Return a clock the CPU can read by itself, or None.

    The process clock is not one of them: threads that are gone count too.
    """
    if clock == CLOCK_MONOTONIC:
        return cpu.now_ns
    if clock == CLOCK_REALTIME:
        return cpu.epoch_ns + cpu.now_ns
    if clock in VDSO_CLOCKS:
        now_ns = cpu.now_ns
        if clock in (CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_COARSE):
            now_ns -= now_ns % cpu.tick_ns
        return now_ns + (cpu.epoch_ns if clock in (CLOCK_REALTIME_COARSE, CLOCK_TAI) else 0)
    if task.slow_door:
        return None  # to be seen by its tracer
    if clock == CLOCK_THREAD_CPUTIME_ID:
        return task.utime_ns + task.stime_ns
    return None
