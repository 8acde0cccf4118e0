"""Writing the scheduler's parameters in /proc/sys/kernel.

Source: kernel/sched/rt.c (sched_rt_sysctls), kernel/sched/deadline.c (sched_dl_sysctls),
kernel/sched/fair.c (sched_fair_sysctls).
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import GuestFault
from kernel.messages import eff_told
from kernel.proc.sysctl_file import proc_dointvec_minmax, proc_douintvec_minmax
from kernel.sched.bandwidth import SLICE_NS
from kernel.sched.rt_rq import RR_TIMESLICE_MS
from kernel.sched.rt_throttle import SLICE
from kernel.sched.sched_class import RT_RANK
from kernel.uapi.failure import refused

if TYPE_CHECKING:
    from kernel.kernel import Kernel

CFS_BANDWIDTH_SLICE_US: Final = SLICE_NS // 1000


def _heeded(name: str, there: bool) -> None:
    """Raise GuestFault(REFUSED) unless the machine has the class that heeds ``name``."""
    if not there:
        raise GuestFault(refused(f"no scheduling class of this machine heeds {name}"))


def sched_rr_handler(k: "Kernel", data: bytes) -> int:
    """Set the quantum of SCHED_RR, in ms; 0 or less: 100 ms.

    A task has it from the next quantum on.

    Raises:
        KernelError: EINVAL, no number.
        GuestFault: REFUSED, the real-time class of this machine is another.

    Source: kernel/sched/rt.c:sched_rr_handler().
    """
    value, taken = proc_dointvec_minmax(data)
    _heeded("sched_rr_timeslice_ms", k.sched.sysctls.of_rt)
    hz = k.spec.hz
    ticks = -(-(value if value > 0 else RR_TIMESLICE_MS) * hz // 1000)
    sysctls = k.sched.sysctls
    sysctls.rr_ticks = ticks
    sysctls.rr_ms = value if value > 0 else ticks * 1000 // hz
    for cpu in range(k.spec.cpus):
        k.send(cpu, eff_told(k.now_ns, RT_RANK, SLICE, (ticks,)))
    return taken


def write_dl_period_max(k: "Kernel", data: bytes) -> int:
    """Set the longest period of a deadline task, in us.

    Raises:
        KernelError: EINVAL, no number, or less than the shortest.
        GuestFault: REFUSED, the deadline class of this machine is another.

    Source: kernel/sched/deadline.c:sched_dl_sysctls.
    """
    sysctls = k.sched.sysctls
    value = proc_douintvec_minmax(data, least=sysctls.dl_period_min_us)
    _heeded("sched_deadline_period_max_us", sysctls.of_dl)
    sysctls.dl_period_max_us = value
    return len(data)


def write_dl_period_min(k: "Kernel", data: bytes) -> int:
    """Set the shortest period of a deadline task, in us.

    Raises:
        KernelError: EINVAL, no number, or more than the longest.
        GuestFault: REFUSED, the deadline class of this machine is another.

    Source: kernel/sched/deadline.c:sched_dl_sysctls.
    """
    sysctls = k.sched.sysctls
    value = proc_douintvec_minmax(data, most=sysctls.dl_period_max_us)
    _heeded("sched_deadline_period_min_us", sysctls.of_dl)
    sysctls.dl_period_min_us = value
    return len(data)


def write_cfs_bandwidth_slice(k: "Kernel", data: bytes) -> int:
    """Take what a CPU gets at once of its group's limit, if it is what it has always been.

    Raises:
        KernelError: EINVAL, no number, or less than 1.
        GuestFault: REFUSED, another value.

    Source: kernel/sched/fair.c:sched_fair_sysctls.
    """
    value, taken = proc_dointvec_minmax(data, least=1)
    if value != CFS_BANDWIDTH_SLICE_US:
        what = f"sched_cfs_bandwidth_slice_us is always {CFS_BANDWIDTH_SLICE_US} here"
        raise GuestFault(refused(what))
    return taken
