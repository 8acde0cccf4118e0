"""Resource limits and resource usage: prlimit64 and getrusage.

Both belong to the thread group. Limits are kept as what differs from the boot defaults, in a table
that fork shares (``kernel.process.limits``). Usage of a process is what its released threads used
plus what the living ones have; usage of its children is what those it *waited for* used, with their
own waited-for children: a child that nobody waits for (SIGCHLD ignored) leaves no trace in it.

Context switches: a task that sleeps counts a voluntary one here; involuntary ones are counted by
the CPUs and come with every request.

Source: kernel/sys.c (do_prlimit, getrusage).
Deviation: nothing is read from or written to a disk: ru_majflt, ru_inblock and ru_oublock are 0.
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.creds import Cred, capable
from kernel.errors import KernelError
from kernel.mm.rss import get_mm_hiwater_rss
from kernel.points import READ, RELEASE, Path
from kernel.process.limits import rlimits_of
from kernel.task import SignalStruct, TaskStruct
from kernel.time.posix_cpu_timers import update_rlimit_cpu
from kernel.uapi.errno_ import EINVAL, EPERM, ESRCH
from kernel.uapi.resource import RUSAGE_BOTH, RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_THREAD
from kernel.uapi.rlimit import RLIM_INFINITY, RLIM_NLIMITS, RLIMIT_CPU, RLIMIT_NOFILE, RLIMIT_RTTIME

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.mm.mm_types import MmStruct

SYSCTL_NR_OPEN: Final = 1 << 20
_U64: Final = (1 << 64) - 1

# struct rusage: utime_ns, stime_ns, maxrss (KiB), ixrss, idrss, isrss, minflt, majflt, nswap,
# inblock, oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw
Rusage = tuple[int, ...]


# -- limits --------------------------------------------------------------------------------------


def check_prlimit_permission(k: "Kernel", task: TaskStruct) -> int:
    """Return 0, or EPERM if the current task may not touch ``task``'s limits.

    Source: kernel/sys.c:check_prlimit_permission().
    """
    if k.current is task:
        return 0
    mine: Cred = k.current.cred
    theirs: Cred = task.cred
    same = (
        mine.uid == theirs.euid
        and mine.uid == theirs.suid
        and mine.uid == theirs.uid
        and mine.gid == theirs.egid
        and mine.gid == theirs.sgid
        and mine.gid == theirs.gid
    )
    return 0 if same or capable(mine) else EPERM


def sys_prlimit64(
    k: "Kernel", pid: int, resource: int, limits: tuple[int, int] | None
) -> Path[tuple[int, int]]:
    """Return a limit of a process as it was, and change it if ``limits`` is given.

    Args:
        pid: of any of its threads; 0 is the caller.
        resource: RLIMIT_*.
        limits: ``(soft, hard)``, RLIM_INFINITY for none; or None.

    Raises:
        KernelError: ESRCH, no such task; EPERM, somebody else's, or the hard limit is raised
            without privilege, or RLIMIT_NOFILE above fs.nr_open; EINVAL, no such limit, or the
            soft limit is above the hard one.

    Source: kernel/sys.c:prlimit64(), do_prlimit().
    """
    task = k.current
    if pid:
        found = k.pids.find_task_by_vpid(pid)
        if found is None:
            raise KernelError(ESRCH)
        task = found
        error = check_prlimit_permission(k, task)
        if error:
            raise KernelError(error)
    if not 0 <= resource < RLIM_NLIMITS:
        raise KernelError(EINVAL)
    signal = task.signal
    if limits is None:
        return rlimits_of(k, signal, resource)
    soft, hard = limits[0] & _U64, limits[1] & _U64
    if soft > hard:
        raise KernelError(EINVAL)
    if resource == RLIMIT_NOFILE and hard > SYSCTL_NR_OPEN:
        raise KernelError(EPERM)
    yield "do_prlimit.tasklist_lock", READ, k.tasklist_lock
    error = 0
    old = rlimits_of(k, signal, resource)
    if task.sighand is None:
        error = ESRCH  # released meanwhile
    elif hard > old[1] and not capable(k.current.cred):
        error = EPERM
    else:
        signal.rlim = {**signal.rlim, resource: (soft, hard)}
        if resource in (RLIMIT_CPU, RLIMIT_RTTIME) and soft != RLIM_INFINITY:
            yield from update_rlimit_cpu(k, task)
    yield "do_prlimit.tasklist_unlock", RELEASE, k.tasklist_lock
    if error:
        raise KernelError(error)
    return old


# -- usage ---------------------------------------------------------------------------------------


def setmax_mm_hiwater_rss(signal: SignalStruct, mm: "MmStruct") -> None:
    """Let a process remember how large the address space it leaves was.

    Source: include/linux/mm.h:setmax_mm_hiwater_rss().
    """
    pages = get_mm_hiwater_rss(mm)
    if pages > signal.maxrss:
        signal.maxrss = pages


def getrusage(k: "Kernel", task: TaskStruct, who: int) -> Rusage:
    """Return the usage of ``task``'s process, its children, both, or of the thread ``task``.

    Source: kernel/sys.c:getrusage().
    """
    signal = task.signal
    if who == RUSAGE_THREAD:
        utime, stime = task.utime_ns, task.stime_ns
        flt, vcsw, ivcsw = task.min_flt, task.nvcsw, task.nivcsw
        maxrss = signal.maxrss
    else:
        utime = stime = flt = vcsw = ivcsw = maxrss = 0
        if who != RUSAGE_SELF:
            utime, stime = signal.cutime_ns, signal.cstime_ns
            flt, vcsw, ivcsw = signal.cmin_flt, signal.cnvcsw, signal.cnivcsw
            maxrss = signal.cmaxrss
        if who != RUSAGE_CHILDREN:
            utime += signal.utime_ns
            stime += signal.stime_ns
            flt += signal.min_flt
            vcsw += signal.nvcsw
            ivcsw += signal.nivcsw
            maxrss = max(maxrss, signal.maxrss)
            for thread in signal.threads:
                utime += thread.utime_ns
                stime += thread.stime_ns
                flt += thread.min_flt
                vcsw += thread.nvcsw
                ivcsw += thread.nivcsw
    if who != RUSAGE_CHILDREN and task.mm is not None:
        maxrss = max(maxrss, get_mm_hiwater_rss(task.mm))
    kib = maxrss * (k.spec.page_size >> 10)
    return utime, stime, kib, 0, 0, 0, flt, 0, 0, 0, 0, 0, 0, 0, vcsw, ivcsw


def sys_getrusage(k: "Kernel", who: int) -> Rusage:
    """Return the usage of the caller's process, of the children it waited for, or of the thread.

    Args:
        who: RUSAGE_SELF, RUSAGE_CHILDREN or RUSAGE_THREAD.

    Raises:
        KernelError: EINVAL, another ``who``.

    Source: kernel/sys.c:getrusage().
    """
    if who not in (RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD):
        raise KernelError(EINVAL)
    return getrusage(k, k.current, who)


def rusage_of_child(k: "Kernel", child: TaskStruct) -> Rusage:
    """Return what wait4() reports of ``child``: its process and those that waited for."""
    return getrusage(k, child, RUSAGE_BOTH)
