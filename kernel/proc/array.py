"""What /proc says of a task: stat, status and children.

Source: fs/proc/array.c of 6.12 (2.6.34 for that profile: shorter status, other letters).
Deviation: what the emulated machine has not got reads as on an idle machine without it: no
terminal (0 and -1), no swap, no block I/O delays, no guest time, no NUMA (one node), no seccomp, a
CPU that does not speculate, instruction and stack pointers 0.
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.uidgid import from_kgid_munged, from_kuid_munged
from kernel.points import ACQUIRE, READ, RELEASE, Path
from kernel.proc.task_mmu import MmSizes, task_mem
from kernel.process.attrs import attrs_of
from kernel.process.limits import rlimit
from kernel.process.pid import Pid, pid_nr_ns
from kernel.ptrace.access import ptrace_may_access
from kernel.task import (
    PF_KTHREAD,
    SIGNAL_GROUP_EXIT,
    SIGNAL_STOP_STOPPED,
    TaskStruct,
    task_state_letter,
)
from kernel.time.timekeeping import thread_group_cputime
from kernel.uapi.mman import PAGE_SHIFT
from kernel.uapi.rlimit import RLIMIT_RSS, RLIMIT_SIGPENDING
from kernel.uapi.signals import SIG_IGN, sigmask

if TYPE_CHECKING:
    from kernel.kernel import Kernel

NSEC_PER_CLOCK: Final = 10_000_000  # USER_HZ is 100
_STATES: Final = {
    "R": "R (running)",
    "S": "S (sleeping)",
    "D": "D (disk sleep)",
    "T": "T (stopped)",
    "t": "t (tracing stop)",
    "X": "X (dead)",
    "Z": "Z (zombie)",
    "P": "P (parked)",
    "I": "I (idle)",
}
# Source: include/linux/capability.h: 41 capabilities; 2.6.34 shows every bit of the word
_CAP_FULL: Final = (1 << 41) - 1
_CAP_FULL_2_6: Final = (1 << 64) - 1
_UNREADABLE: Final = 1  # start_code and end_code, for those who may not trace the task
_FD_ARRAY: Final = 64  # NR_OPEN_DEFAULT
_FD_CHUNK: Final = 128  # alloc_fdtable(): 1024 bytes of pointers


def nsec_to_clock_t(ns: int) -> int:
    """Return ``ns`` in hundredths of a second. Source: kernel/time/time.c."""
    return ns // NSEC_PER_CLOCK


def escape_comm(comm: str) -> str:
    """Return a name with backslash and newline escaped.

    Source: fs/proc/array.c:proc_task_name().
    """
    return comm.replace("\\", "\\\\").replace("\n", "\\n")


def get_task_state(k: "Kernel", task: TaskStruct) -> str:
    """Return the letter of ``task`` in the profile's alphabet.

    2.6.34 knows neither parked nor idle tasks: they sleep, interruptibly or not.

    Source: fs/proc/array.c:get_task_state().
    """
    letter = task_state_letter(task)
    if not k.tasks.profile.idle_and_parked:
        return {"I": "D", "P": "S"}.get(letter, letter)
    return letter


def signal_sets(task: TaskStruct) -> tuple[int, int, int, int, int]:
    """Return pending, shared pending, blocked, ignored and caught signals, bit n-1 for signal n.

    Source: fs/proc/array.c:task_sig(), collect_sigign_sigcatch().
    """
    pending = shared = ignored = caught = 0
    for info in task.pending:
        pending |= sigmask(info[0])
    for info in task.signal.shared_pending:
        shared |= sigmask(info[0])
    sighand = task.sighand
    if sighand is not None:
        for sig, action in sighand.action.items():
            if action == SIG_IGN:
                ignored |= sigmask(sig)
            elif action:
                caught |= sigmask(sig)
    return pending, shared, task.blocked, ignored, caught


def real_parent_tgid(task: TaskStruct) -> int:
    """Return what getppid() of ``task`` would say."""
    parent = task.real_parent
    return 0 if parent is None else parent.tgid


# -- stat ----------------------------------------------------------------------------------------


def proc_tgid_stat(k: "Kernel", task: TaskStruct) -> Path[str]:
    """Return /proc/PID/stat: times and faults of the whole process.

    Source: fs/proc/array.c:proc_tgid_stat().
    """
    return do_task_stat(k, task, True)


def proc_tid_stat(k: "Kernel", task: TaskStruct) -> Path[str]:
    """Return /proc/PID/task/TID/stat: of the one thread. Source: fs/proc/array.c."""
    return do_task_stat(k, task, False)


def do_task_stat(k: "Kernel", task: TaskStruct, whole: bool) -> Path[str]:
    """Return the 52 fields of a task.

    Args:
        whole: times and faults of all threads, gone ones included; else of this one.

    Source: fs/proc/array.c:do_task_stat().
    """
    siglock = None if task.sighand is None else task.sighand.siglock
    if siglock is not None:
        yield "do_task_stat.siglock", ACQUIRE, siglock
    line = _stat_line(k, task, whole)
    if siglock is not None:
        yield "do_task_stat.siglock_done", RELEASE, siglock
    return line


def _stat_usage(task: TaskStruct, whole: bool) -> tuple[int, int, int]:
    """Return utime_ns, stime_ns and minor faults, of all threads or of the one."""
    if not whole:
        return task.utime_ns, task.stime_ns, task.min_flt
    signal = task.signal
    utime_ns, stime_ns = thread_group_cputime(task)
    min_flt = signal.min_flt + sum(thread.min_flt for thread in signal.threads)
    return utime_ns, stime_ns, min_flt


def _stat_memory(task: TaskStruct, permitted: bool) -> tuple[int, int, int, int]:
    """Return vsize, rss, start_code and end_code; addresses only for who is ``permitted``."""
    mm = task.mm
    if mm is None:
        return 0, 0, 0, 0
    sizes = MmSizes(mm)
    start = end = _UNREADABLE
    if permitted:
        start, end = sizes.exec_start << PAGE_SHIFT, sizes.exec_end << PAGE_SHIFT
    return sizes.total << PAGE_SHIFT, sizes.rss, start, end


def _stat_line(k: "Kernel", task: TaskStruct, whole: bool) -> str:
    signal = task.signal
    if signal is None:  # released while siglock was waited for
        return ""
    utime_ns, stime_ns, min_flt = _stat_usage(task, whole)
    attrs = attrs_of(task)
    pending, _, blocked, ignored, caught = signal_sets(task)
    permitted = ptrace_may_access(k, task)
    vsize, rss, start_code, end_code = _stat_memory(task, permitted)
    exit_code = task.exit_code
    if whole and signal.flags & (SIGNAL_GROUP_EXIT | SIGNAL_STOP_STOPPED):
        exit_code = signal.group_exit_code
    letter = get_task_state(k, task)
    asleep = not task.on_rq and task is not k.current and not task.exit_state
    fields = (
        real_parent_tgid(task),
        signal.pgrp.nr,
        signal.session.nr,
        0,  # tty_nr
        -1,  # tty_pgrp
        task.flags,
        min_flt,
        signal.cmin_flt,
        0,  # maj_flt
        0,  # cmaj_flt
        nsec_to_clock_t(utime_ns),
        nsec_to_clock_t(stime_ns),
        nsec_to_clock_t(signal.cutime_ns),
        nsec_to_clock_t(signal.cstime_ns),
        k.sched.of(task).task_prio(task, attrs),
        task.nice,
        signal.nr_threads,
        0,  # itrealvalue
        nsec_to_clock_t(task.start_time_ns),
        vsize,
        rss,
        rlimit(k, signal, RLIMIT_RSS),
        start_code,
        end_code,
        0,  # start_stack
        0,  # esp
        0,  # eip
        pending & 0x7FFFFFFF,
        blocked & 0x7FFFFFFF,
        ignored & 0x7FFFFFFF,
        caught & 0x7FFFFFFF,
        int(asleep),  # wchan
        0,  # nswap
        0,  # cnswap
        task.exit_signal,
        task.cpu,
        attrs.rt_priority,
        attrs.policy,
        0,  # delayacct_blkio_ticks
        0,  # gtime
        0,  # cgtime
        0,  # start_data
        0,  # end_data
        0,  # start_brk
        0,  # arg_start
        0,  # arg_end
        0,  # env_start
        0,  # env_end
        exit_code if permitted else 0,
    )
    numbers = " ".join(map(str, fields))
    return f"{task.thread_pid.nr} ({task.comm}) {letter} {numbers}\n"


# -- status --------------------------------------------------------------------------------------


def proc_pid_status(k: "Kernel", task: TaskStruct) -> Path[str]:
    """Return /proc/PID/status of a process or thread, its lines in Linux's order.

    Source: fs/proc/array.c:proc_pid_status().
    """
    siglock = None if task.sighand is None else task.sighand.siglock
    if siglock is not None:
        yield "task_sig.siglock", ACQUIRE, siglock
    text = _status_text(k, task)
    if siglock is not None:
        yield "task_sig.siglock_done", RELEASE, siglock
    return text


def _status_text(k: "Kernel", task: TaskStruct) -> str:
    if task.signal is None:  # released while siglock was waited for
        return ""
    modern = k.tasks.profile.idle_and_parked
    mm = task.mm
    parts = [_task_state(k, task, modern)]
    if mm is not None:
        parts.append(task_mem(mm, modern=modern))
    if modern and mm is not None:
        parts.append("CoreDumping:\t0\nTHP_enabled:\t0\nuntag_mask:\t0xffffffffffffffff\n")
    parts += [_task_sig(k, task), _task_cap(task, modern)]
    if modern:
        parts.append(
            f"NoNewPrivs:\t{int(attrs_of(task).no_new_privs)}\nSeccomp:\t0\nSeccomp_filters:\t0\n"
            "Speculation_Store_Bypass:\tnot vulnerable\n"
            "SpeculationIndirectBranch:\tnot affected\n"
        )
    parts.append(_task_cpus_allowed(k, task))
    parts.append(
        f"voluntary_ctxt_switches:\t{task.nvcsw}\nnonvoluntary_ctxt_switches:\t{task.nivcsw}\n"
    )
    return "".join(parts)


def _task_state(k: "Kernel", task: TaskStruct, modern: bool) -> str:
    """Source: fs/proc/array.c:task_state()."""
    cred = task.cred
    ns = k.current.cred.user_ns  # of the one who opened the file, who reads it
    nr = task.thread_pid.nr
    uids = [from_kuid_munged(ns, uid) for uid in (cred.uid, cred.euid, cred.suid, cred.euid)]
    gids = [from_kgid_munged(ns, gid) for gid in (cred.gid, cred.egid, cred.sgid, cred.egid)]
    lines = [("Name", escape_comm(task.comm))]
    if modern and task.fs is not None:
        lines.append(("Umask", f"{task.fs.umask:04o}"))
    lines += [("State", _STATES[get_task_state(k, task)]), ("Tgid", str(task.tgid))]
    if modern:
        lines.append(("Ngid", "0"))
    lines += [
        ("Pid", str(nr)),
        ("PPid", str(real_parent_tgid(task))),
        ("TracerPid", str(task.parent.pid if task.ptrace else 0)),
        ("Uid", "\t".join(map(str, uids))),
        ("Gid", "\t".join(map(str, gids))),
        ("FDSize", str(_fd_size(task))),
        ("Groups", " "),
    ]
    if modern:
        lines += [
            ("NStgid", _numbers(task, task.group_leader.thread_pid)),
            ("NSpid", _numbers(task, task.thread_pid)),
            ("NSpgid", _numbers(task, task.signal.pgrp)),
            ("NSsid", _numbers(task, task.signal.session)),
            ("Kthread", str(int(task.flags & PF_KTHREAD != 0))),
        ]
    return "".join(f"{name}:\t{value}\n" for name, value in lines)


def _numbers(task: TaskStruct, pid: Pid) -> str:
    """Return the numbers of ``pid`` in each namespace that ``task`` is seen in, the root's first.

    Source: fs/proc/array.c:task_state(), the NS lines.
    """
    levels = task.thread_pid.numbers
    if levels is None:
        return str(pid.nr)
    return "\t".join(str(pid_nr_ns(pid, level)) for level, _ in levels)


def _fd_size(task: TaskStruct) -> int:
    """Return how many descriptors the table has room for; 0 once it is gone.

    Source: fs/file.c:alloc_fdtable(), sane_fdtable_size().
    Deviation: worked out from the descriptors that are open now; Linux's table never shrinks.
    """
    files = task.files
    if files is None:
        return 0
    highest = files.open_fds.bit_length()
    if highest <= _FD_ARRAY:
        return _FD_ARRAY
    room = _FD_CHUNK
    while room < highest:
        room *= 2
    return room


def _task_sig(k: "Kernel", task: TaskStruct) -> str:
    """Source: fs/proc/array.c:task_sig().

    Deviation: SigQ counts the signals queued for this thread and its process, not the user's.
    """
    signal = task.signal
    pending, shared, blocked, ignored, caught = signal_sets(task)
    queued = len(task.pending) + len(signal.shared_pending)
    return (
        f"Threads:\t{signal.nr_threads}\n"
        f"SigQ:\t{queued}/{rlimit(k, signal, RLIMIT_SIGPENDING)}\n"
        f"SigPnd:\t{pending:016x}\nShdPnd:\t{shared:016x}\nSigBlk:\t{blocked:016x}\n"
        f"SigIgn:\t{ignored:016x}\nSigCgt:\t{caught:016x}\n"
    )


def _task_cap(task: TaskStruct, modern: bool) -> str:
    """Capabilities follow from the user ids: see ``kernel.cred.creds``.

    Source: fs/proc/array.c:task_cap(), security/commoncap.c:cap_emulate_setxuid().
    """
    cred = task.cred
    full = _CAP_FULL if modern else _CAP_FULL_2_6
    permitted = full if cred.ns_capable or 0 in (cred.uid, cred.euid, cred.suid) else 0
    effective = full if cred.ns_capable or cred.euid == 0 else 0
    lines = (
        f"CapInh:\t{0:016x}\nCapPrm:\t{permitted:016x}\nCapEff:\t{effective:016x}\n"
        f"CapBnd:\t{full:016x}\n"
    )
    return lines + f"CapAmb:\t{0:016x}\n" if modern else lines


def bitmap_string(mask: int, bits: int) -> str:
    """Return a bitmap of ``bits`` bits in hexadecimal words of 32 bits, the highest first.

    Source: lib/vsprintf.c:bitmap_string().
    """
    words = []
    width = (bits - 1) % 32 + 1
    for shift in range((bits - 1) // 32 * 32, -1, -32):
        words.append(f"{mask >> shift & 0xFFFFFFFF:0{(width + 3) // 4}x}")
        width = 32
    return ",".join(words)


def bitmap_list_string(mask: int) -> str:
    """Return a bitmap as ranges: ``0-2,4``. Source: lib/vsprintf.c:bitmap_list_string()."""
    ranges = []
    bit = 0
    while mask >> bit:
        if mask >> bit & 1:
            first = bit
            while mask >> bit & 1:
                bit += 1
            ranges.append(str(first) if bit == first + 1 else f"{first}-{bit - 1}")
        else:
            bit += 1
    return ",".join(ranges)


def _task_cpus_allowed(k: "Kernel", task: TaskStruct) -> str:
    """Source: fs/proc/array.c:task_cpus_allowed(), kernel/cgroup/cpuset.c."""
    cpus = k.spec.cpus
    mask = attrs_of(task).cpus_mask or (1 << cpus) - 1
    return (
        f"Cpus_allowed:\t{bitmap_string(mask, cpus)}\n"
        f"Cpus_allowed_list:\t{bitmap_list_string(mask)}\n"
        "Mems_allowed:\t1\nMems_allowed_list:\t0\n"
    )


# -- children ------------------------------------------------------------------------------------


def children_seq_show(k: "Kernel", task: TaskStruct) -> Path[str]:
    """Return /proc/PID/task/TID/children: the pids of one thread's children, in their order.

    Source: fs/proc/array.c:get_children_pid(), children_seq_show().
    """
    lock = k.tasklist_lock
    yield "get_children_pid.tasklist_lock", READ, lock
    numbers = [child.thread_pid.nr for child in task.children.values()]
    yield "get_children_pid.tasklist_unlock", RELEASE, lock
    return "".join(f"{number} " for number in numbers)
