"""BSD process accounting: one record for every process that ends, when its last thread does.

``acct(path)`` begins to append records to a regular file, ``acct(None)`` ends it, with a last
record for the caller. ``kernel.acct`` of the configuration sends the same records, for all
processes, to the run directory. Nothing is collected while nobody asks: the last thread to exit
works out the record from what the process has become.

Source: kernel/acct.c.
Deviation: ASU, the use of privileges, is not noted. Accounting is not suspended when the file
system is nearly full; a record that does not fit is lost.
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.creds import capable
from kernel.errors import KernelError
from kernel.fs.file_table import File, fput
from kernel.fs.inode import REGULAR
from kernel.fs.open import open_file
from kernel.points import Path
from kernel.process.pid import task_active_pid_ns, task_tgid_nr_ns
from kernel.task import PF_DUMPCORE, PF_EXITING, PF_FORKNOEXEC, PF_SIGNALED, TaskStruct
from kernel.time.timekeeping import thread_group_cputime
from kernel.uapi.acct import (
    ACCT_COMM,
    ACCT_EXACT,
    ACCT_V3,
    ACCT_VERSION,
    ACORE,
    AFORK,
    AHZ,
    AXSIG,
    encode_comp_t,
    encode_float,
)
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.errno_ import EACCES, EPERM
from kernel.uapi.fcntl import O_APPEND, O_WRONLY
from kernel.uapi.mman import PAGE_SHIFT

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.ns.pid_namespace import PidNamespace

OUTPUT: Final = "pacct"  # what k.output() calls the records of the configuration
EXACT: Final = "pacct_exact"  # and what a record had to round: an ACCT_EXACT for each
OUTPUTS: Final = (OUTPUT, EXACT)
PF_ACCT: Final = PF_SIGNALED | PF_DUMPCORE  # what acct_flags() looks at
_NSEC_PER_AHZ: Final = NSEC_PER_SEC // AHZ


def acct_flags(task: TaskStruct) -> int:
    """Return what an exiting thread adds to its process's flags.

    Source: kernel/acct.c:acct_collect().
    """
    return (ACORE if task.flags & PF_DUMPCORE else 0) | (AXSIG if task.flags & PF_SIGNALED else 0)


def acct_mem(task: TaskStruct) -> int:
    """Return the KiB of ``task``'s address space. Source: kernel/acct.c:acct_collect()."""
    mm = task.mm
    if mm is None:
        return 0
    pages: int = sum(vma.end - vma.start for vma in mm.vmas)
    return pages << PAGE_SHIFT >> 10


def fill_ac(
    k: "Kernel", task: TaskStruct, ns: "PidNamespace", collected: bool, mem_kb: int
) -> bytes:
    """Return the record of ``task``'s process.

    Args:
        ns: whose numbers the pids are.
        collected: the process ends; else the record has no times, flags and faults.
        mem_kb: size of the address space it had.

    Source: kernel/acct.c:fill_ac(), do_acct_process().
    """
    leader = task.group_leader
    signal = task.signal
    flag = exitcode = utime_ns = stime_ns = minflt = 0
    if collected:
        flag = signal.ac_flag | (AFORK if leader.flags & PF_FORKNOEXEC else 0)
        exitcode = leader.exit_code
        utime_ns, stime_ns = thread_group_cputime(task)
        minflt = signal.min_flt + sum(thread.min_flt for thread in signal.threads)
    elapsed_ns = k.now_ns - leader.start_time_ns
    parent = task.real_parent
    return ACCT_V3.pack(
        flag,
        ACCT_VERSION,
        0,  # tty
        exitcode,
        task.cred.uid & 0xFFFFFFFF,
        task.cred.gid & 0xFFFFFFFF,
        task_tgid_nr_ns(task, ns),
        task_tgid_nr_ns(parent, ns),
        (k.vfs.epoch_ns + leader.start_time_ns) // NSEC_PER_SEC & 0xFFFFFFFF,
        encode_float(elapsed_ns // _NSEC_PER_AHZ),
        encode_comp_t(utime_ns // _NSEC_PER_AHZ),
        encode_comp_t(stime_ns // _NSEC_PER_AHZ),
        encode_comp_t(mem_kb),
        0,  # io
        0,  # rw
        encode_comp_t(minflt),
        0,  # majflt
        0,  # swaps
        task.comm.encode("utf-8", "surrogateescape")[: ACCT_COMM - 1],
    )


def acct_process(k: "Kernel", task: TaskStruct, mem_kb: int) -> None:
    """Write the record of ``task``'s process, whose last thread it is, wherever it is wanted.

    Source: kernel/acct.c:acct_process().
    """
    if k.spec.acct:
        k.output(OUTPUT, fill_ac(k, task, k.init_pid_ns, True, mem_kb))
        start_ns = task.group_leader.start_time_ns
        times = thread_group_cputime(task)
        k.output(EXACT, ACCT_EXACT.pack(start_ns, k.now_ns - start_ns, *times))
    ns: PidNamespace | None = task_active_pid_ns(k, task) if k.acct_files else None
    while ns is not None:
        if ns.bacct is not None:
            _write(k, ns.bacct, fill_ac(k, task, ns, True, mem_kb))
        ns = ns.parent


def _write(k: "Kernel", file: File, record: bytes) -> None:
    """Append a record. Source: kernel/acct.c:acct_write_process()."""
    inode = file.inode
    k.now_ns += k.costs.file_op
    try:
        k.vfs.write(inode, inode.size, record)
    except KernelError:
        return  # the file system is full
    inode.mtime_ns = inode.ctime_ns = k.vfs.epoch_ns + k.now_ns


def sys_acct(k: "Kernel", path: str | None) -> Path[None]:
    """Append a record to ``path`` for every process of the caller's pid namespace that ends.

    None ends it, with a record for the caller. Processes of namespaces below count too, by the
    numbers they have in this one.

    Raises:
        KernelError: EPERM, not privileged; EACCES, no regular file; as open for writing.

    Source: kernel/acct.c:acct(), acct_on(), acct_pin_kill().
    """
    k.now_ns += k.costs.file_op
    if not capable(k.current.cred):
        raise KernelError(EPERM)
    file: File | None = None
    if path is not None:
        file = open_file(k, path, O_WRONLY | O_APPEND, 0)
        if file.inode.kind != REGULAR:
            yield from fput(k, file)
            raise KernelError(EACCES, path)
        k.vfs.holds[file] = 1
    ns = task_active_pid_ns(k, k.current)
    if ns.bacct is not None:
        yield from acct_exit_ns(k, ns)
    if file is not None:
        ns.bacct = file
        k.acct_files += 1
        k.accounting = True


def acct_exit_ns(k: "Kernel", ns: "PidNamespace") -> Path[None]:
    """End the accounting of a namespace, with a record for the current task.

    That of a dying init of the namespace is its second one.

    Source: kernel/acct.c:acct_exit_ns(), acct_pin_kill().
    Deviation: this second record has no size of memory.
    """
    file = ns.bacct
    if file is None:
        raise AssertionError(f"{ns!r} keeps no accounts")
    ns.bacct = None
    k.acct_files -= 1
    k.accounting = k.spec.acct or k.acct_files > 0
    exiting = k.current.flags & PF_EXITING != 0
    _write(k, file, fill_ac(k, k.current, ns, exiting, 0))
    del k.vfs.holds[file]
    yield from fput(k, file)
