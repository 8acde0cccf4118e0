"""Resource limits: the defaults, who is bound by them, and how many threads may exist.

Limits belong to the thread group. ``signal.rlim`` holds only what differs from the boot defaults
and is replaced, never changed in place, so fork shares it.

Source: kernel/sys.c, kernel/fork.c (set_max_threads, RLIMIT_NPROC in copy_process),
include/asm-generic/resource.h.
"""

from typing import TYPE_CHECKING, Final

from kernel.machine import MachineSpec
from kernel.task import SignalStruct, TaskStruct
from kernel.uapi.rlimit import RLIM_INFINITY, RLIMIT_NPROC

if TYPE_CHECKING:
    from kernel.cred.creds import Cred
    from kernel.kernel import Kernel

MIN_THREADS: Final = 20
FUTEX_TID_MASK: Final = 0x3FFFFFFF
STK_LIM: Final = 8 << 20


def max_threads(spec: MachineSpec) -> int:
    """Return how many threads may exist: an eighth of memory filled with kernel stacks.

    Source: kernel/fork.c:set_max_threads().
    """
    wanted = spec.threads_max or spec.memory_bytes // (8 * spec.thread_size)
    return min(max(wanted, MIN_THREADS), FUTEX_TID_MASK)


def boot_rlimits(threads: int) -> tuple[tuple[int, int], ...]:
    """Return init's ``(soft, hard)`` limits, by RLIMIT_ number.

    Source: include/asm-generic/resource.h:INIT_RLIMITS, kernel/fork.c:fork_init().
    """
    infinity = (RLIM_INFINITY, RLIM_INFINITY)
    half = (threads // 2, threads // 2)
    memlock = (8 << 20, 8 << 20)
    return (
        infinity,  # CPU
        infinity,  # FSIZE
        infinity,  # DATA
        (STK_LIM, RLIM_INFINITY),  # STACK
        (0, RLIM_INFINITY),  # CORE
        infinity,  # RSS
        half,  # NPROC
        (1024, 4096),  # NOFILE
        memlock,  # MEMLOCK
        infinity,  # AS
        infinity,  # LOCKS
        half,  # SIGPENDING
        (819200, 819200),  # MSGQUEUE
        (0, 0),  # NICE
        (0, 0),  # RTPRIO
        infinity,  # RTTIME
    )


def rlimit(k: "Kernel", signal: SignalStruct, which: int) -> int:
    """Return the soft limit ``which`` of a thread group. Source: include/linux/sched/signal.h."""
    limit = signal.rlim.get(which)
    return k.tasks.rlimits[which][0] if limit is None else limit[0]


def rlimits_of(k: "Kernel", signal: SignalStruct, which: int) -> tuple[int, int]:
    """Return the soft and hard limit ``which`` of a thread group."""
    limit = signal.rlim.get(which)
    return k.tasks.rlimits[which] if limit is None else limit


def nproc_exceeded(k: "Kernel", task: TaskStruct, cred: "Cred") -> bool:
    """Tell whether ``cred``'s user, as charged now, is over ``task``'s RLIMIT_NPROC.

    Source: kernel/ucount.c:is_rlimit_overlimit().
    """
    return cred.user.processes > rlimit(k, task.signal, RLIMIT_NPROC)
