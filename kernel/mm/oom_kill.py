"""The OOM killer: who dies when no page frame is left for a page fault.

The faulting task looks for the process whose death frees most (``oom_badness``: resident pages,
shifted by oom_score_adj in thousandths of memory), kills it and everybody who shares its memory,
sleeps for a tick and tries its access again. While a victim is still dying nobody else is chosen.
Process 1, kernel threads and processes with oom_score_adj -1000 are never chosen.

Source: mm/oom_kill.c, mm/page_alloc.c:__alloc_pages_may_oom().
Deviation: page tables and swap are not in the badness; no oom_reaper: a victim gives its memory
back when it has run. Only page faults call the killer: a system call that finds no frame for the
kernel's own use fails with ENOMEM, where Linux kills somebody for small requests.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import FaultSignal
from kernel.events import OOM_MARK_VICTIM
from kernel.mm.mm_types import MmStruct
from kernel.mm.rss import get_mm_rss
from kernel.points import Path
from kernel.process.pid import PIDTYPE_TGID
from kernel.process.tasklist import for_each_process
from kernel.signal.pending import fatal_signal_pending
from kernel.signal.send import do_send_sig_info
from kernel.smp.ttwu import set_current_state
from kernel.task import (
    PF_EXITING,
    PF_KTHREAD,
    SIGNAL_GROUP_EXIT,
    TASK_KILLABLE,
    TASK_RUNNING,
    TaskStruct,
    mm_of,
)
from kernel.time.timeout import schedule_timeout
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.signals import SI_KERNEL, SIGKILL

if TYPE_CHECKING:
    from kernel.kernel import Kernel

OOM_SCORE_ADJ_MIN: Final = -1000
_NEVER: Final = -(1 << 62)


def find_lock_task_mm(process: TaskStruct) -> TaskStruct | None:
    """Return a thread of ``process`` that still has its memory. Source: mm/oom_kill.c."""
    for thread in process.signal.threads:
        if thread.mm is not None:
            return thread
    return None


def oom_badness(k: "Kernel", process: TaskStruct) -> int:
    """Return how much the death of ``process`` (a leader) would help, in pages.

    A process that must not or cannot be killed has a very small value, ``_NEVER``.

    Source: mm/oom_kill.c:oom_badness(), oom_unkillable_task().
    """
    if process is k.child_reaper or process.flags & PF_KTHREAD:
        return _NEVER
    adj: int = process.signal.oom_score_adj
    thread = find_lock_task_mm(process)
    if thread is None or adj == OOM_SCORE_ADJ_MIN or thread.vfork_done is not None:
        return _NEVER
    return get_mm_rss(mm_of(thread)) + adj * (k.frames.total // 1000)


def select_bad_process(k: "Kernel") -> tuple[TaskStruct | None, bool]:
    """Return ``(process to kill, whether a victim is dying already)``.

    Of processes that are equally bad the youngest is taken.

    Source: mm/oom_kill.c:select_bad_process(), oom_evaluate_task().
    """
    chosen: TaskStruct | None = None
    most = _NEVER
    for process in for_each_process(k):
        if process.signal.oom_victim and find_lock_task_mm(process) is not None:
            return None, True
        points = oom_badness(k, process)
        if points != _NEVER and points >= most:
            chosen, most = process, points
    return chosen, False


def pagefault_out_of_memory(k: "Kernel", address: int) -> Path[None]:
    """Make room for a page of the current task, or end it; the access is then tried again.

    Raises:
        FaultSignal: SIGKILL, the current task is being killed: for this or another reason.

    Source: mm/oom_kill.c:out_of_memory(), pagefault_out_of_memory().
    """
    current = k.current
    if fatal_signal_pending(current) or current.flags & PF_EXITING:
        raise FaultSignal(SIGKILL, SI_KERNEL, address)
    if k.spec.panic_on_oom:
        k.fatal = "Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled"
        raise FaultSignal(SIGKILL, SI_KERNEL, address)
    dying = False
    victim: TaskStruct | None = current.group_leader
    if not k.spec.oom_kill_allocating_task or oom_badness(k, current.group_leader) == _NEVER:
        victim, dying = select_bad_process(k)
    if victim is not None:
        yield from oom_kill_process(k, victim)
    elif not dying:
        k.fatal = "Kernel panic - not syncing: Out of memory and no killable processes..."
        raise FaultSignal(SIGKILL, SI_KERNEL, address)
    if fatal_signal_pending(current) or current.signal.flags & SIGNAL_GROUP_EXIT:
        raise FaultSignal(SIGKILL, SI_KERNEL, address)
    # schedule_timeout_killable(1): let the victim run
    until_ns = k.now_ns + NSEC_PER_SEC // k.spec.hz
    yield from set_current_state(k, TASK_KILLABLE)
    yield from schedule_timeout(k, until_ns, None, awake=fatal_signal_pending(current))
    yield from set_current_state(k, TASK_RUNNING)


def oom_kill_process(k: "Kernel", victim: TaskStruct) -> Path[None]:
    """Kill ``victim`` (a leader) and every other process that runs in its memory.

    Source: mm/oom_kill.c:__oom_kill_process().
    """
    thread = find_lock_task_mm(victim)
    mm: MmStruct | None = None if thread is None else thread.mm
    victim.signal.oom_victim = True
    k.stats.oom_kills += 1
    if k.tracing:
        k.emit(OOM_MARK_VICTIM, (victim.pid, victim.comm))
    info = (SIGKILL, SI_KERNEL, 0, 0, 0)
    yield from do_send_sig_info(k, SIGKILL, info, victim, PIDTYPE_TGID)
    for process in list(for_each_process(k)):
        if process is victim or process is k.child_reaper or process.flags & PF_KTHREAD:
            continue
        sharer = find_lock_task_mm(process)
        if mm is not None and sharer is not None and sharer.mm is mm:
            yield from do_send_sig_info(k, SIGKILL, info, process, PIDTYPE_TGID)
