"""Who is in a control group, and what is said of them.

Source: kernel/cgroup/cgroup.c (css_task_iter_advance), kernel/cgroup/rstat.c.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel.cgroup.cgroup import Cgroup, cgroup_of, descendants, is_threaded, path_of
from kernel.process.tasklist import for_each_process
from kernel.smp.bandwidth import cfs_stat
from kernel.task import PF_EXITING, PF_NO_SETAFFINITY, TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def processes_of(k: "Kernel", cgroup: Cgroup) -> Iterator[TaskStruct]:
    """Yield the leaders of the processes of a domain, of the threaded groups below it too.

    One that has exited counts while a thread of it lives.

    Source: kernel/cgroup/cgroup.c:css_task_iter_advance(), with CSS_TASK_ITER_PROCS.
    """
    if cgroup.parent is None:
        for leader in for_each_process(k):
            if cgroup_of(k, leader).dom is cgroup and leader.signal.live:
                yield leader
        return
    for group in descendants(cgroup):
        if group.dom is cgroup:
            for task in (*group.tasks, *group.dying):
                if task.group_leader is task and task.signal.live:
                    yield task


def threads_of(k: "Kernel", cgroup: Cgroup) -> Iterator[TaskStruct]:
    """Yield the threads in a group that are not exiting. Source: css_task_iter_advance()."""
    if cgroup.parent is not None:
        yield from cgroup.tasks
        return
    for leader in for_each_process(k):
        for thread in leader.signal.threads:
            if thread.cgroup is None and not thread.flags & PF_EXITING:
                yield thread


def cpu_time(cgroup: Cgroup) -> tuple[int, int]:
    """Return the user and system ns of all that is or was in a group or below it.

    Source: kernel/cgroup/rstat.c:cgroup_base_stat_flush().
    """
    user_ns, system_ns = cgroup.utime_ns, cgroup.stime_ns
    for task in (*cgroup.tasks, *cgroup.dying):
        user_ns += task.utime_ns
        system_ns += task.stime_ns
    for child in cgroup.children.values():
        user, system = cpu_time(child)
        user_ns += user
        system_ns += system
    return user_ns, system_ns


def cpu_stat(cgroup: Cgroup) -> dict[str, int]:
    """Return what cpu.stat has of a group below the root, in its order, times in us.

    Source: kernel/cgroup/rstat.c:cgroup_base_stat_cputime_show(), kernel/sched/core.c:
        cpu_extra_stat_show().
    """
    user_ns, system_ns = cpu_time(cgroup)
    stat = cpu_times_us(user_ns + system_ns, user_ns, system_ns)
    return stat if cgroup.css is None else stat | cfs_stat(cgroup.css)


def cpu_times_us(usage_ns: int, user_ns: int, system_ns: int) -> dict[str, int]:
    """Return what cpu.stat begins with."""
    return {
        "usage_usec": usage_ns // 1000,
        "user_usec": user_ns // 1000,
        "system_usec": system_ns // 1000,
    }


def proc_cgroup_show(k: "Kernel", task: TaskStruct) -> str:
    """Return /proc/PID/cgroup; a zombie is where it was.

    Source: kernel/cgroup/cgroup.c:proc_cgroup_show().
    Deviation: cgroup namespaces do not change what is seen.
    """
    cgroup = cgroup_of(k, task)
    return f"0::{path_of(cgroup)}{' (deleted)' if cgroup.dead else ''}\n"


def may_be_moved(k: "Kernel", task: TaskStruct) -> bool:
    """Tell whether a task may leave the root: not kthreadd, nor threads bound to a CPU.

    Source: kernel/cgroup/cgroup.c:cgroup_procs_write_start().
    """
    return task is not k.kthreadd and not task.flags & PF_NO_SETAFFINITY


def killed_by(k: "Kernel", cgroup: Cgroup) -> list[TaskStruct]:
    """Return whom cgroup.kill kills, in this order. Source: cgroup.c:cgroup_kill()."""
    domains = [each for each in descendants(cgroup) if not is_threaded(each)]
    return [leader for each in domains for leader in processes_of(k, each)]
