"""Timers on CPU time: ITIMER_VIRTUAL, ITIMER_PROF, RLIMIT_CPU, RLIMIT_RTTIME.

They belong to the process and run on the CPU time of all its threads together. While a process
has one, its threads' CPUs take every tick, also when nothing else is runnable there, and at each
tick of a thread the kernel is entered: its own time is then exact, that of the other running ones
at most a tick old. So a timer expires at the first tick after its time, as in Linux.

The soft limit RLIMIT_CPU goes up by a second with each SIGXCPU; at the hard one SIGKILL ends it.
RLIMIT_RTTIME does the same for the time a real-time thread runs without sleeping.

Source: kernel/time/posix-cpu-timers.c, kernel/time/itimer.c, kernel/time/tick-sched.c.
Deviation: no timer_create() on CPU clocks.
"""

from typing import TYPE_CHECKING, Final

from kernel.drive.lockdep import assert_held
from kernel.messages import eff_tune_cputimer
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.process.limits import rlimits_of
from kernel.process.pid import PIDTYPE_TGID
from kernel.sched.sched_class import RT_RANK
from kernel.signal.send import do_send_sig_info, send_signal_locked
from kernel.task import PF_EXITING, SignalStruct, TaskStruct
from kernel.timerq import TimerKind
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.rlimit import RLIM_INFINITY, RLIMIT_CPU, RLIMIT_RTTIME
from kernel.uapi.signals import (
    ITIMER_PROF,
    ITIMER_VIRTUAL,
    SI_KERNEL,
    SIGKILL,
    SIGPROF,
    SIGVTALRM,
    SIGXCPU,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_CLOCK_SIGNAL: Final = ((ITIMER_PROF, SIGPROF), (ITIMER_VIRTUAL, SIGVTALRM))


class CpuItimer:
    """One of a process's two timers (``struct cpu_itimer``); ``expires_ns`` 0: it is not armed."""

    __slots__ = ("expires_ns", "incr_ns")

    def __init__(self) -> None:
        self.expires_ns = 0  # on the clock it runs on
        self.incr_ns = 0


class PosixCputimers:
    """What a process that ever used CPU timers has (``struct posix_cputimers``)."""

    __slots__ = ("prof", "timers_active", "virt")

    def __init__(self) -> None:
        self.prof = CpuItimer()
        self.virt = CpuItimer()
        self.timers_active = False  # its threads' CPUs have been told to tick

    def clock(self, which: int) -> CpuItimer:
        """Return ITIMER_VIRTUAL or ITIMER_PROF."""
        return self.prof if which == ITIMER_PROF else self.virt


def cputimers_of(signal: SignalStruct) -> PosixCputimers:
    """Return the CPU timers of a process, made at first use."""
    timers = signal.cputimers
    if timers is None:
        timers = signal.cputimers = PosixCputimers()
    return timers


def posix_cpu_timers_init_group(k: "Kernel", signal: SignalStruct) -> None:
    """Prepare a new process that inherits a limit of CPU time.

    Source: kernel/time/posix-cpu-timers.c:posix_cputimers_group_init().
    """
    for which in (RLIMIT_CPU, RLIMIT_RTTIME):
        if rlimits_of(k, signal, which)[0] != RLIM_INFINITY:
            cputimers_of(signal).timers_active = True


def cpu_clock_sample_group(signal: SignalStruct) -> tuple[int, int]:
    """Return ``(utime + stime, utime)`` of a process: the clocks of ITIMER_PROF and _VIRTUAL.

    Source: kernel/time/posix-cpu-timers.c:cpu_clock_sample_group().
    """
    utime_ns, stime_ns = signal.utime_ns, signal.stime_ns
    for thread in signal.threads:
        utime_ns += thread.utime_ns
        stime_ns += thread.stime_ns
    return utime_ns + stime_ns, utime_ns


def _tick_dep(k: "Kernel", signal: SignalStruct, active: bool) -> None:
    """Tell the CPUs of all threads whether they have to tick for this process.

    Source: kernel/time/tick-sched.c:tick_nohz_dep_set_signal().
    """
    timers = cputimers_of(signal)
    if timers.timers_active == active:
        return
    timers.timers_active = active
    for thread in signal.threads:
        if not thread.exit_state:
            k.send(thread.cpu, eff_tune_cputimer(k.stamp(thread), thread.pid, active))


def limit_cpu(k: "Kernel", signal: SignalStruct) -> None:
    """A process has got a limit of CPU time or of real-time running; siglock is held."""
    _tick_dep(k, signal, True)


def update_rlimit_cpu(k: "Kernel", task: TaskStruct) -> Path[None]:
    """As ``limit_cpu``, for the process of ``task``, which has been found alive.

    Source: kernel/time/posix-cpu-timers.c:update_rlimit_cpu().
    """
    siglock = task.sighand.siglock
    yield "update_rlimit_cpu.siglock", ACQUIRE, siglock
    limit_cpu(k, task.signal)
    yield "update_rlimit_cpu.siglock_done", RELEASE, siglock


# -- itimers -------------------------------------------------------------------------------------


def get_cpu_itimer(k: "Kernel", signal: SignalStruct, which: int) -> tuple[int, int]:
    """Return ``(ns left, interval in ns)``; an armed timer that is due has a tick left.

    Source: kernel/time/itimer.c:get_cpu_itimer().
    """
    timers: PosixCputimers | None = signal.cputimers
    if timers is None:
        return 0, 0
    timer = timers.clock(which)
    left = timer.expires_ns
    if left:
        now = cpu_clock_sample_group(signal)[which == ITIMER_VIRTUAL]
        left = NSEC_PER_SEC // k.spec.hz if left <= now else left - now
    return left, timer.incr_ns


def set_cpu_itimer(
    k: "Kernel", signal: SignalStruct, which: int, ns: int, interval_ns: int
) -> tuple[int, int]:
    """Arm (``ns`` > 0) or stop a timer; return what ``get_cpu_itimer`` said before.

    A tick is added to the time: the timer must not expire early.

    Source: kernel/time/itimer.c:set_cpu_itimer().
    """
    old = get_cpu_itimer(k, signal, which)
    if not ns and not old[0] and signal.cputimers is None:
        return old
    timer = cputimers_of(signal).clock(which)
    timer.expires_ns = timer.incr_ns = 0
    if ns:
        now = cpu_clock_sample_group(signal)[which == ITIMER_VIRTUAL]
        timer.expires_ns = now + ns + NSEC_PER_SEC // k.spec.hz
        timer.incr_ns = interval_ns
        _tick_dep(k, signal, True)
    return old


# -- expiry --------------------------------------------------------------------------------------


def run_posix_cpu_timers(k: "Kernel") -> Path[None]:
    """A tick has hit a thread of a process with CPU timers: let those that are due expire.

    Source: kernel/time/posix-cpu-timers.c:run_posix_cpu_timers(), check_process_timers().
    """
    task = k.current
    signal = task.signal
    timers: PosixCputimers | None = signal.cputimers
    if timers is None or not timers.timers_active:
        return
    siglock = task.sighand.siglock
    yield "run_posix_cpu_timers.siglock", ACQUIRE, siglock
    samples = cpu_clock_sample_group(signal)
    left = False
    for place in (0, 1):
        which, sig = _CLOCK_SIGNAL[place]
        timer = timers.clock(which)
        if timer.expires_ns and samples[place] >= timer.expires_ns:
            timer.expires_ns = timer.expires_ns + timer.incr_ns if timer.incr_ns else 0
            yield from _send(k, sig, task)
        left = left or timer.expires_ns != 0
    soft, hard = rlimits_of(k, signal, RLIMIT_CPU)
    if soft != RLIM_INFINITY:
        left = True
        if hard != RLIM_INFINITY and samples[0] >= hard * NSEC_PER_SEC:
            yield from _send(k, SIGKILL, task)
        elif samples[0] >= soft * NSEC_PER_SEC:
            signal.rlim = {**signal.rlim, RLIMIT_CPU: (soft + 1, hard)}
            yield from _send(k, SIGXCPU, task)
    if task in k.sched.members[RT_RANK]:
        yield from _check_rttime(k, task)
    if not left and rlimits_of(k, signal, RLIMIT_RTTIME)[0] == RLIM_INFINITY:
        _tick_dep(k, signal, False)
    yield "run_posix_cpu_timers.siglock_done", RELEASE, siglock


def _check_rttime(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Look whether real-time ``task`` has run too long since it was last woken. Holds siglock.

    Source: kernel/time/posix-cpu-timers.c:check_thread_timers(), kernel/sched/rt.c:watchdog().
    """
    signal = task.signal
    soft, hard = rlimits_of(k, signal, RLIMIT_RTTIME)
    if soft == RLIM_INFINITY:
        return
    ran_us = (task.utime_ns + task.stime_ns - k.sched.members[RT_RANK][task]) // 1000
    if hard != RLIM_INFINITY and ran_us >= hard:
        yield from _send(k, SIGKILL, task)
    elif ran_us >= soft:
        signal.rlim = {**signal.rlim, RLIMIT_RTTIME: (soft + 1_000_000, hard)}
        yield from _send(k, SIGXCPU, task)


def _send(k: "Kernel", sig: int, task: TaskStruct) -> Path[int]:
    """Send a signal of the kernel to the process. Caller holds siglock."""
    assert_held(k, task.sighand.siglock)
    return send_signal_locked(k, sig, (sig, SI_KERNEL, 0, 0, 0), task, PIDTYPE_TGID)


class ClassSignalKind(TimerKind):
    """Sends a process the signal with which a scheduling class tells it something.

    ``what``: one of its tasks, and the signal.
    """

    def is_live(self, what: tuple[TaskStruct, int], serial: int) -> bool:
        """Always: it is due at once."""
        return True

    def expire(self, k: "Kernel", what: tuple[TaskStruct, int], serial: int) -> object:
        """Send it, as an interrupt: it is nobody's system call."""
        task, sig = what
        if task.flags & PF_EXITING:
            return None
        k.cpu = task.cpu
        k.current = k.init_task
        info = (sig, SI_KERNEL, 0, 0, 0)
        return k.form(do_send_sig_info)(k, sig, info, task, PIDTYPE_TGID)


CLASS_SIGNAL: Final = ClassSignalKind()
