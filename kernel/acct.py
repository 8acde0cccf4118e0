"""BSD process accounting: one record for every process that ends, when its last thread does.

``acct(path)`` begins to append records to a regular file, ``acct(None)`` ends it, with a last
record for the caller. ``kernel.acct`` of the configuration sends the same records, for all
processes, to the run directory. Nothing is collected while nobody asks: the last thread to exit
works out the record from what the process has become.

Source: kernel/acct.c.
Deviation: ASU, the use of privileges, is not noted. Accounting is not suspended when the file
system is nearly full; a record that does not fit is lost.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.errors import KernelError
from kernel.fs.file_table import File, fput
from kernel.fs.inode import REGULAR
from kernel.fs.open import open_file
from kernel.points import Path
from kernel.task import PF_DUMPCORE, PF_FORKNOEXEC, PF_SIGNALED, TaskStruct
from kernel.timekeeping import thread_group_cputime
from kernel.uapi.acct import (
    ACCT_COMM,
    ACCT_V3,
    ACCT_VERSION,
    ACORE,
    AFORK,
    AHZ,
    AXSIG,
    encode_comp_t,
    encode_float,
)
from kernel.uapi.errno_ import EACCES, EPERM
from kernel.uapi.fcntl import O_APPEND, O_WRONLY
from kernel.uapi.mman import PAGE_SHIFT

if TYPE_CHECKING:
    from kernel.state import KernelState

OUTPUT: Final = "pacct"  # what k.output() calls the records of the configuration
PF_ACCT: Final = PF_SIGNALED | PF_DUMPCORE  # what acct_flags() looks at
_NSEC_PER_AHZ: Final = 1_000_000_000 // AHZ


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


def fill_ac(k: "KernelState", task: TaskStruct, collected: bool, mem_kb: int) -> bytes:
    """Return the record of ``task``'s process.

    Args:
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
    parent: Any = task.real_parent
    return ACCT_V3.pack(
        flag,
        ACCT_VERSION,
        0,  # tty
        exitcode,
        task.cred.uid & 0xFFFFFFFF,
        task.cred.gid & 0xFFFFFFFF,
        leader.pid,
        parent.tgid,
        (k.vfs.epoch_ns + leader.start_time_ns) // 1_000_000_000 & 0xFFFFFFFF,
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


def acct_process(k: "KernelState", task: TaskStruct, mem_kb: int) -> None:
    """Write the record of ``task``'s process, whose last thread it is, wherever it is wanted.

    Source: kernel/acct.c:acct_process().
    """
    record = fill_ac(k, task, True, mem_kb)
    if k.spec.acct:
        k.output(OUTPUT, record)
    if k.acct_file is not None:
        _write(k, k.acct_file, record)


def _write(k: "KernelState", file: File, record: bytes) -> None:
    """Append a record. Source: kernel/acct.c:acct_write_process()."""
    inode = file.inode
    k.now_ns += k.costs.file_op
    try:
        k.vfs.write(inode, inode.size, record)
    except KernelError:
        return  # the file system is full
    inode.mtime_ns = inode.ctime_ns = k.vfs.epoch_ns + k.now_ns


def sys_acct(k: "KernelState", path: str | None) -> Path:
    """Append a record for every process that ends to ``path``; None: no longer.

    Raises:
        KernelError: EPERM, not privileged; EACCES, no regular file; as open for writing.

    Source: kernel/acct.c:acct(), acct_on(), acct_pin_kill().
    Deviation: one file for all pid namespaces.
    """
    k.now_ns += k.costs.file_op
    if k.current.cred.euid != 0:
        raise KernelError(EPERM)
    file: File | None = None
    if path is not None:
        file = open_file(k, path, O_WRONLY | O_APPEND, 0)
        if file.inode.kind != REGULAR:
            yield from fput(k, file)
            raise KernelError(EACCES, path)
        k.vfs.holds[file] = 1
    old, k.acct_file = k.acct_file, file
    k.accounting = k.spec.acct or file is not None
    if old is not None:
        _write(k, old, fill_ac(k, k.current, False, 0))
        del k.vfs.holds[old]
        yield from fput(k, old)
    return None
