"""How many signals may be queued for a user: RLIMIT_SIGPENDING.

Only real-time signals are bound by it, and they count together with every other queued signal of
the target's real uid. One that kill() sends above the limit still makes the signal pending, as the
entry ``lost_info`` tells; what must not lose its data (tgkill, sigqueue) fails with EAGAIN.

Source: kernel/signal.c:__sigqueue_alloc(), __send_signal_locked().
"""

from typing import TYPE_CHECKING

from kernel.process.limits import rlimit
from kernel.process.tasklist import for_each_process
from kernel.task import SigInfo, TaskStruct
from kernel.uapi.rlimit import RLIMIT_SIGPENDING
from kernel.uapi.signals import SI_USER

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def lost_info(sig: int) -> SigInfo:
    """Return what a pending signal without a queue entry looks like to its receiver.

    Source: kernel/signal.c:collect_signal().
    """
    return (sig, SI_USER, 0, 0, 0)


def _queued(pending: tuple[SigInfo, ...]) -> int:
    return sum(1 for info in pending if info[1] != SI_USER or info[2])


def sigqueue_alloc(k: "Kernel", task: TaskStruct) -> bool:
    """Tell whether one more signal may be queued for ``task``'s user.

    Source: kernel/signal.c:__sigqueue_alloc().
    """
    signal = task.signal
    limit = rlimit(k, signal, RLIMIT_SIGPENDING)
    if RLIMIT_SIGPENDING not in signal.rlim and (
        len(signal.shared_pending) + len(task.pending) < limit >> 4
    ):
        return True  # far below: no need to look at everybody
    uid = task.cred.uid
    count = 0
    for leader in for_each_process(k):
        if leader.cred.uid == uid:
            count += _queued(leader.signal.shared_pending)
        for thread in leader.signal.threads:
            if thread.cred.uid == uid:
                count += _queued(thread.pending)
    return count < limit
