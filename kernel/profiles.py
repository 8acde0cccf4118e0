"""Where the two emulated kernels, 2.6.34 and 6.12, differ in process management.

2.6.34 is the kernel that *Linux Kernel Development*, 3rd edition, describes. Every difference that
kernel paths look at is one field here; no path compares version strings.

Source: the deltas are those between the v2.6.34 and v6.12 trees in kernel/fork.c, kernel/exit.c,
kernel/pid.c and fs/exec.c.
"""

from dataclasses import dataclass
from typing import Final

from kernel.errors import KernelError
from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EAGAIN, EINVAL, ENOMEM
from kernel.uapi.policy import SCHED_EXT, SCHED_IDLE


@dataclass(frozen=True, slots=True)
class Profile:
    """Behaviour that depends on the emulated version."""

    name: str
    vfork_killable: bool  # the vfork parent's sleep ends on a fatal signal (3.4)
    subreapers: bool  # PR_SET_CHILD_SUBREAPER counts when a parent dies (3.4)
    last_thread_sets_exit_code: bool  # else a process's code is its leader's (6.1)
    exec_empty_argv_gets_name: bool  # execve with argc 0 gives argv[0] = "" (5.18)
    exec_budget_ceiling: int  # bytes of argv and environment whatever the stack limit (4.13)
    pid_exhausted_errno: int  # what fork says when no pid is left
    idle_and_parked: bool  # TASK_IDLE and TASK_PARKED are there (4.2, 3.9), and what /proc gained
    fcntl_queries: bool  # F_DUPFD_QUERY (6.10) and F_CREATED_QUERY (6.12)
    later_calls: tuple[int, ...] = ()  # system calls that are not there yet: ENOSYS
    last_policy: int = SCHED_EXT  # the greatest number of a scheduling policy
    pressure: bool = True  # /proc/pressure (4.20), and PID/sched as it is since then
    loadavg_rounds_up: bool = True  # a load average that rises (4.7)
    schedstat_version: int = 16  # of /proc/schedstat (6.10)
    # load balancing (kernel.smp.balance): the least and the largest interval in ms, None: the
    # number of CPUs and twice that; on a busy CPU multiplied by, and then so many jiffies less;
    # the difference that counts, in percent (all as of 5.10)
    sd_interval_ms: tuple[int, int] | None = None
    sd_busy_factor: int = 16
    sd_busy_less: int = 1
    sd_imbalance_pct: int = 117
    # of domains with several nodes, if they differ: interval least, largest in ms, busy factor
    sd_node_ms: tuple[int, int, int] | None = None


PROFILES: Final[dict[str, Profile]] = {
    "6.12": Profile(
        name="6.12",
        vfork_killable=True,
        subreapers=True,
        last_thread_sets_exit_code=True,
        exec_empty_argv_gets_name=True,
        exec_budget_ceiling=6 << 20,
        pid_exhausted_errno=EAGAIN,
        idle_and_parked=True,
        fcntl_queries=True,
    ),
    "2.6.34": Profile(
        name="2.6.34",
        vfork_killable=False,
        subreapers=False,
        last_thread_sets_exit_code=False,
        exec_empty_argv_gets_name=False,
        exec_budget_ceiling=1 << 62,
        pid_exhausted_errno=ENOMEM,
        idle_and_parked=False,
        fcntl_queries=False,
        # 3.14, 3.0, 5.1, 5.3
        later_calls=(
            *(nr.NR_SCHED_SETATTR, nr.NR_SCHED_GETATTR, nr.NR_SETNS),
            *(nr.NR_PIDFD_SEND_SIGNAL, nr.NR_PIDFD_OPEN, nr.NR_CLONE3),
        ),
        last_policy=SCHED_IDLE,
        pressure=False,
        loadavg_rounds_up=False,
        schedstat_version=15,
        sd_interval_ms=(1, 4),
        sd_busy_factor=64,
        sd_busy_less=0,
        sd_imbalance_pct=125,
        sd_node_ms=(8, 32, 32),
    ),
}


def profile_named(name: str) -> Profile:
    """Return the profile of the kernel version ``name``.

    Raises:
        KernelError: EINVAL, there is no such profile; the configuration checks it earlier.
    """
    profile = PROFILES.get(name)
    if profile is None:
        raise KernelError(EINVAL, f"linux: {name}")
    return profile
