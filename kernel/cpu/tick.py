"""What interrupts one CPU: the tick, when it comes and what it costs, and the reschedule interrupt.

Ticks are at multiples of 1/HZ. A CPU with two runnable tasks takes every one, and so does one whose
task has timers on CPU time. Whether a CPU whose task is alone takes them is said by
``machine.nohz``, by the words of Linux's boot line: ``off`` (every CPU always, idle ones too),
``idle`` (every CPU that runs something, nohz=on), ``full`` (those not in nohz_full). The tick of a
lone task changes nothing but the time: it could preempt for nobody. So as many as its class lets
pass are taken at once, and what comes out is what one after the other would give.

Source: kernel/time/tick-sched.c (can_stop_full_tick, tick_nohz_stop_tick),
kernel/sched/core.c:sched_can_stop_tick().
Deviation: ``ideal``, the default, is none of Linux's: on every CPU a lone task is as on one in
nohz_full, without the cost of entering and leaving the kernel there.
Deviation: a lone SCHED_DEADLINE task on a CPU in nohz_full takes no tick; its budget is a timer's.
Deviation: ticks of an idle CPU (``off``) are counted with their cost, and delay nobody.
"""

from typing import TYPE_CHECKING

from kernel.cpu.migrate import send_mail
from kernel.cpu.position import IDLE
from kernel.machine import NOHZ
from kernel.sched import core, pelt

if TYPE_CHECKING:
    from kernel.cpu.cpu import Cpu
    from kernel.cpu.task import CpuTask
    from kernel.machine import MachineSpec


def ticks_alone(spec: "MachineSpec", cpu: int) -> bool:
    """Tell whether ``cpu`` takes ticks while it has one runnable task.

    Raises:
        ValueError: ``spec.nohz`` is none of NOHZ.
    """
    if spec.nohz not in NOHZ:
        raise ValueError(f"nohz is {spec.nohz!r}, and must be one of {', '.join(NOHZ)}")
    if spec.nohz == "full":
        return cpu not in spec.nohz_full
    return spec.nohz != "ideal"


def tick(cpu: "Cpu", ticks: int = 1) -> None:
    """Take the timer interrupt, ``ticks`` times in a row if so many came in one system call.

    Source: kernel/time/tick-sched.c:tick_nohz_handler(), kernel/time/timer.c:
        update_process_times().
    """
    stats = cpu.stats
    rq = cpu.rq
    cpu.close()
    for _ in range(ticks):
        stats.ticks += 1
        stats.system_ns += cpu.tick_cost_ns
        cpu.now_ns += cpu.tick_cost_ns
        rq.clock_ns = cpu.now_ns
        core.scheduler_tick(rq)
    cpu.open()
    if rq.mail:
        send_mail(cpu)
    if rq.curr.cputimer:
        rq.curr.sigpending = True  # run_posix_cpu_timers() is the kernel's


def skip(cpu: "Cpu", task: "CpuTask", first_ns: int, stop_ns: int) -> None:
    """Let ``task``, alone on ``cpu``, compute through all ticks but the last up to ``stop_ns``.

    Args:
        first_ns: the tick that comes next; the task computes beyond it.
        stop_ns: of a tick after it nothing is done yet.
    """
    tick_ns, cost_ns = cpu.tick_ns, cpu.tick_cost_ns
    start_ns = cpu.now_ns
    ticks = min(
        (start_ns + task.remaining_ns - first_ns) // (tick_ns - cost_ns),
        (stop_ns - first_ns) // tick_ns,
    )
    cls = task.sched_class
    if ticks <= 0 or cls is None or not cls.skips_ticks:
        return
    rq = cpu.rq
    if not cls.skip_ticks(rq, task, first_ns + cost_ns, ticks, tick_ns):
        return
    if rq.pelt is not None:
        for number in range(ticks):
            rq.clock_ns = first_ns + number * tick_ns + cost_ns
            pelt.ticked(rq, rq.pelt)
    last_ns = first_ns + (ticks - 1) * tick_ns
    used_ns = last_ns - start_ns - (ticks - 1) * cost_ns
    task.remaining_ns -= used_ns
    task.utime_ns += used_ns
    stats = cpu.stats
    stats.user_ns += used_ns
    stats.ticks += ticks
    stats.system_ns += ticks * cost_ns
    cpu.now_ns = last_ns
    cpu.close()
    cpu.now_ns = rq.clock_ns = last_ns + cost_ns
    cpu.open()


def end_alone(cpu: "Cpu", task: "CpuTask") -> int:
    """Return when ``task``, which computes alone and takes ticks, has done so, or a tick before.

    A tick before it is what is returned if the task's class may do something in it.
    """
    end_ns = cpu.now_ns + cpu.wall_ns(task)
    first_ns = (cpu.now_ns // cpu.tick_ns + 1) * cpu.tick_ns
    if end_ns < first_ns:
        return end_ns
    cls = task.sched_class
    if cls is None or not cls.skips_ticks:
        return first_ns
    ticks = (end_ns - first_ns) // (cpu.tick_ns - cpu.tick_cost_ns) + 1
    return end_ns + ticks * cpu.tick_cost_ns


def idle(cpu: "Cpu", until_ns: int) -> None:
    """Let ``cpu`` idle up to ``until_ns``."""
    idle_ns = until_ns - cpu.now_ns
    if cpu.ticks_idle:
        ticks = until_ns // cpu.tick_ns - cpu.now_ns // cpu.tick_ns
        cost_ns = min(ticks * cpu.tick_cost_ns, idle_ns)
        cpu.stats.ticks += ticks
        cpu.stats.system_ns += cost_ns
        idle_ns -= cost_ns
    cpu.stats.idle_ns += idle_ns
    cpu.now_ns = until_ns


def interrupt(cpu: "Cpu") -> None:
    """Take the reschedule interrupt of another CPU; what it is for is done after it.

    Source: kernel/sched/core.c:scheduler_ipi(); arch/x86/kernel/smp.c:sysvec_reschedule_ipi().
    """
    cpu.stats.system_ns += cpu.ipi_ns
    cpu.close()
    if cpu.rq.curr.at == IDLE:
        cpu.stats.idle_ns += cpu.costs.idle_exit
        cpu.now_ns += cpu.costs.idle_exit
    cpu.now_ns += cpu.ipi_ns
    cpu.rq.clock_ns = cpu.now_ns
    cpu.open()
