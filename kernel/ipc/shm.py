"""System V shared memory.

A segment's pages are a ``SharedPages`` like those of a shared anonymous mapping, kept while nobody
maps them. Attaching makes one more area of the caller's address space; so fork, exec, exit and
munmap count attachments by counting areas (``SharedPages.users`` is nattch). IPC_RMID of an
attached segment marks it: from then on no key finds it, its id still does, and the last detach
destroys it.

Source: ipc/shm.c.
Deviation: attached for reading and writing at an address of the kernel's choice; no huge pages,
locking or IPC_SET; times and pids of the last calls are not kept. The last detach takes the segment
out of the table without the table's lock.
"""

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from kernel.errors import KernelError
from kernel.ipc.util import (
    IpcIds,
    KernIpcPerm,
    current_ipc_ns,
    ipc_addid,
    ipc_obtain_object_check,
    ipc_rmid,
    ipc_set_key_private,
    ipcctl_obtain_check,
    ipcget,
    ipcperms,
)
from kernel.mm.mlock import mlock_future_ok
from kernel.mm.mm import mmap_lock, put_shared
from kernel.mm.mm_types import MmStruct, SharedPages, VmArea
from kernel.mm.mmap import get_unmapped_area
from kernel.mm.overcommit import security_vm_enough_memory
from kernel.mm.vma import do_vmi_munmap
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.task import mm_of
from kernel.uapi.errno_ import EACCES, EAGAIN, EIDRM, EINVAL, ENOMEM, ENOSPC
from kernel.uapi.ipc import (
    IPC_RMID,
    IPC_STAT,
    S_IRUGO,
    S_IRWXUGO,
    S_IWUGO,
    SHM_DEST,
    SHM_HUGETLB,
    SHMALL,
    SHMMAX,
    SHMMIN,
    SHMMNI,
)
from kernel.uapi.mman import (
    MAX_MAP_COUNT,
    PAGE_SHIFT,
    PAGE_SIZE,
    VM_LOCKED,
    VM_READ,
    VM_SHARED,
    VM_WRITE,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel


class ShmidKernel:
    """One segment (``shmid_kernel``)."""

    __slots__ = ("ids", "pages", "perm", "shm_segsz")

    def __init__(self, perm: KernIpcPerm, ids: IpcIds, size: int) -> None:
        self.perm = perm
        self.ids = ids
        self.shm_segsz = size
        self.pages = SharedPages(keep=True)
        self.pages.segment = self

    @property
    def shm_nattch(self) -> int:
        """How often it is attached."""
        return self.pages.users

    @property
    def nr_pages(self) -> int:
        """Its size in pages."""
        return -(-self.shm_segsz // PAGE_SIZE)

    def last_detach(self) -> None:
        """The last area of a segment that is marked for destruction is gone, and its pages too.

        Source: ipc/shm.c:shm_close().
        """
        self.destroy()

    def destroy(self) -> None:
        """Let nobody find the segment any more. Source: ipc/shm.c:shm_destroy()."""
        self.ids.used -= self.nr_pages
        ipc_rmid(self.ids, self.perm)
        self.pages.segment = None


def sys_shmget(k: "Kernel", key: int, size: int, flags: int) -> Path[int]:
    """Return the id of the segment with ``key``, made with ``size`` bytes of zeros if need be.

    Raises:
        KernelError: EINVAL, a new one of 0 bytes or far too many, one that is smaller than
            ``size``, or SHM_HUGETLB; ENOSPC, 4096 segments; ENOMEM, more than the machine's
            memory; and see ipcget().

    Source: ipc/shm.c:ksys_shmget(), newseg(), shm_more_checks().
    """
    ids = current_ipc_ns(k).shm

    def newseg() -> int:
        if not SHMMIN <= size <= SHMMAX or flags & SHM_HUGETLB:
            raise KernelError(EINVAL)
        pages = -(-size // PAGE_SIZE)
        if ids.used + pages > SHMALL:
            raise KernelError(ENOSPC)
        perm = KernIpcPerm(key, flags & S_IRWXUGO, k.current.cred, k.new_lock("shm_perm"))
        shp = ShmidKernel(perm, ids, size)
        security_vm_enough_memory(k, pages)
        shp.pages.committed = pages
        try:
            id = ipc_addid(k, ids, shp, SHMMNI)
        except KernelError:
            k.frames.committed -= pages
            raise
        ids.used += pages
        return id

    def shm_more_checks(shp: Any) -> bool:
        return bool(size <= shp.shm_segsz)

    return ipcget(k, ids, key, flags, newseg, shm_more_checks)


def sys_shmat(k: "Kernel", shmid: int) -> Path[tuple[int, int]]:
    """Attach a segment to the caller's memory.

    Returns:
        ``(address, size in bytes)``.

    Raises:
        KernelError: EINVAL, no such segment; EACCES; EIDRM, it was removed; ENOMEM, no room or
            too many areas; EAGAIN, over RLIMIT_MEMLOCK after mlockall(MCL_FUTURE).

    Source: ipc/shm.c:do_shmat().
    """
    k.now_ns += k.costs.ipc_op + k.costs.mmap_op
    shp: ShmidKernel = ipc_obtain_object_check(current_ipc_ns(k).shm, shmid)
    if ipcperms(k, shp.perm, S_IRUGO | S_IWUGO):
        raise KernelError(EACCES)
    yield "shmat.lock", ACQUIRE, shp.perm.lock
    gone = shp.perm.deleted
    name = f"/SYSV{shp.perm.key & 0xFFFFFFFF:08x}"
    pages = shp.pages
    if not gone:
        pages.users += 1  # so that nobody destroys it meanwhile
    yield "shmat.unlock", RELEASE, shp.perm.lock
    if gone:
        raise KernelError(EIDRM)
    mm = mm_of(k.current)
    lock = mmap_lock(k, mm) if mm.users > 1 else None
    if lock is not None:
        yield "shmat.mmap_lock", ACQUIRE, lock
    start = errno = 0
    try:
        start = _shm_mmap(k, mm, shp, name)
    except KernelError as failed:
        errno = failed.errno
    if lock is not None:
        yield "shmat.mmap_unlock", RELEASE, lock
    put_shared(k, pages)
    if errno:
        raise KernelError(errno)
    return start << PAGE_SHIFT, shp.shm_segsz


def _shm_mmap(k: "Kernel", mm: MmStruct, shp: ShmidKernel, name: str) -> int:
    """Enter an area that shows the whole segment; return its first vpn. mmap_lock is held.

    Source: ipc/shm.c:shm_mmap(), mm/vma.c:__mmap_region().
    """
    nr_pages = shp.nr_pages
    start = get_unmapped_area(mm, nr_pages)
    if start is None or len(mm.vmas) >= MAX_MAP_COUNT:
        raise KernelError(ENOMEM)
    if not mlock_future_ok(k, mm, mm.def_flags, nr_pages):
        raise KernelError(EAGAIN)
    slot = k.slabs["vm_area_struct"].alloc()
    flags = VM_READ | VM_WRITE | VM_SHARED | mm.def_flags
    vma = VmArea(start, start + nr_pages, flags, name, shp.pages)
    shp.pages.users += 1
    mm.nr_shared += 1
    if flags & VM_LOCKED:
        mm.locked_vm += nr_pages
    mm.slots.insert(0, slot)
    place = bisect_left(mm.vmas, start, key=attrgetter("start"))
    mm.vmas = (*mm.vmas[:place], vma, *mm.vmas[place:])
    return start


def sys_shmdt(k: "Kernel", address: int) -> Path[None]:
    """Detach the segment that is attached at ``address``.

    Raises:
        KernelError: EINVAL, none is.

    Source: ipc/shm.c:ksys_shmdt().
    """
    k.now_ns += k.costs.ipc_op + k.costs.mmap_op
    if address & (PAGE_SIZE - 1):
        raise KernelError(EINVAL)
    mm = mm_of(k.current)
    lock = mmap_lock(k, mm) if mm.users > 1 else None
    if lock is not None:
        yield "shmdt.mmap_lock", ACQUIRE, lock
    start = address >> PAGE_SHIFT
    found: SharedPages | None = None
    for vma in mm.vmas:
        pages = vma.pages
        if pages is None or pages.segment is None or vma.start - vma.offset != start:
            continue
        if found is None or found is pages:  # what is left of it, if parts have been unmapped
            found = pages
            do_vmi_munmap(k, mm, vma.start, vma.end)
    if lock is not None:
        yield "shmdt.mmap_unlock", RELEASE, lock
    if found is None:
        raise KernelError(EINVAL)
    return None


def sys_shmctl(k: "Kernel", shmid: int, cmd: int) -> Path[int | tuple[int, int]]:
    """Remove a segment, or describe it.

    Returns:
        IPC_STAT: ``(size, nattch)``; IPC_RMID: 0.

    Raises:
        KernelError: EINVAL, no such segment or command; EACCES; EPERM.

    Source: ipc/shm.c:ksys_shmctl(), shmctl_stat(), shmctl_down(), do_shm_rmid().
    """
    k.now_ns += k.costs.ipc_op
    if shmid < 0 or cmd not in (IPC_RMID, IPC_STAT):
        raise KernelError(EINVAL)
    ids = current_ipc_ns(k).shm
    if cmd == IPC_STAT:
        shp: ShmidKernel = ipc_obtain_object_check(ids, shmid)
        if ipcperms(k, shp.perm, S_IRUGO):
            raise KernelError(EACCES)
        yield "shmctl_stat.lock", ACQUIRE, shp.perm.lock
        gone = shp.perm.deleted
        described = shp.shm_segsz, shp.shm_nattch
        yield "shmctl_stat.unlock", RELEASE, shp.perm.lock
        if gone:
            raise KernelError(EIDRM)
        return described
    yield "shmctl_down.rwsem", ACQUIRE, ids.rwsem
    shp, errno = ipcctl_obtain_check(k, ids, shmid)
    if not errno:
        yield "shmctl_down.lock", ACQUIRE, shp.perm.lock
        if not shp.perm.deleted:
            do_shm_rmid(k, shp)
        yield "shmctl_down.unlock", RELEASE, shp.perm.lock
    yield "shmctl_down.rwsem_done", RELEASE, ids.rwsem
    if errno:
        raise KernelError(errno)
    return 0


def do_shm_rmid(k: "Kernel", shp: ShmidKernel) -> None:
    """Destroy a segment, now or at its last detach. Source: ipc/shm.c:do_shm_rmid()."""
    pages = shp.pages
    shp.perm.mode |= SHM_DEST
    ipc_set_key_private(shp.ids, shp.perm)
    pages.keep = False
    if not pages.users:
        shp.destroy()
        pages.users = 1
        put_shared(k, pages)
