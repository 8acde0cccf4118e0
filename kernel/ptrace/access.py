"""Who may look into a task, through /proc, or trace it.

Source: kernel/ptrace.c.
"""

from typing import TYPE_CHECKING

from kernel.cred.creds import SUID_DUMP_USER, Cred, ns_capable

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct


def ptrace_may_access(k: "Kernel", task: "TaskStruct", *, realcreds: bool = False) -> bool:
    """Tell whether the current task may look into ``task``.

    All of ``task``'s ids are the caller's, and it may be dumped: its memory holds nothing from
    before a change of ids. Or the caller has capabilities over it. Threads of one process may.

    Args:
        realcreds: by the caller's real ids, as for tracing; else by the effective ones.

    Source: kernel/ptrace.c:__ptrace_may_access().
    Deviation: the capabilities that the address space's own user namespace would ask for are
    those of the task's.
    """
    current = k.current
    if current.signal is task.signal:
        return True
    mine: Cred = current.cred
    cred: Cred = task.cred
    if ns_capable(mine, cred.user_ns):
        return True
    uid, gid = (mine.uid, mine.gid) if realcreds else (mine.euid, mine.egid)
    same = uid == cred.euid == cred.suid == cred.uid and gid == cred.egid == cred.sgid == cred.gid
    return same and (task.mm is None or task.mm.dumpable == SUID_DUMP_USER)
