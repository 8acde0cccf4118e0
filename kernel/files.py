"""Open files: descriptors, what they stand for, and the calls on them.

A ``File`` is an open file description: shared by every descriptor that dup and fork made from one
open, with one offset. A ``FilesStruct`` maps descriptors to files; the lowest free one is found
in a bit mask, as in Linux. ``close_on_exec`` is a property of the descriptor.

fork shares the map itself: it is copied when one of its ``sharers`` changes it (``own_fd``), and
then every file in it gets another reference. So a file's ``count`` is the number of *maps'*
entries that name it, and a map that others share can be left without a look at its files.

Releasing the last reference of a pipe end wakes tasks, so everything that may close is a path.
Calls on everything but pipes never sleep and return at once.

Source: fs/file.c, fs/open.c, fs/read_write.c, fs/fcntl.c, fs/fs_struct.c.
Deviation: no file_lock and f_pos_lock points: a table shared by threads is changed in one step.
No O_PATH, O_TMPFILE, O_DIRECT; no asynchronous I/O, locks or leases.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.errors import InvariantError, KernelError, RestartSyscall
from kernel.ipc import pipe as pipes
from kernel.limits import rlimit
from kernel.mm.mm import MmStruct
from kernel.points import Path
from kernel.task import TaskStruct
from kernel.uapi.errno_ import (
    EACCES,
    EBADF,
    EEXIST,
    EFBIG,
    EINVAL,
    EISDIR,
    EMFILE,
    ENOENT,
    ENOTDIR,
    ENXIO,
    EOPNOTSUPP,
    EPERM,
    ESPIPE,
)
from kernel.uapi.fcntl import (
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_GETFL,
    F_OK,
    F_SETFD,
    F_SETFL,
    FD_CLOEXEC,
    MAX_RW_COUNT,
    O_ACCMODE,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECT,
    O_DIRECTORY,
    O_EXCL,
    O_LARGEFILE,
    O_NOATIME,
    O_NOCTTY,
    O_NONBLOCK,
    O_PATH,
    O_RDONLY,
    O_RDWR,
    O_TMPFILE,
    O_TRUNC,
    O_WRONLY,
    R_OK,
    RLIMIT_NOFILE,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_SET,
    W_OK,
    X_OK,
)
from kernel.uapi.mman import PAGE_SIZE
from kernel.vfs import (
    CAPTURE,
    DIRECTORY,
    MAY_EXEC,
    MAY_READ,
    MAY_WRITE,
    NULL,
    PIDFD,
    PIPE,
    REGULAR,
    ZERO,
    Inode,
    allow_write_access,
    capture_inode,
    check_path,
    create,
    d_path,
    deny_write_access,
    get_write_access,
    inode_permission,
    lookup,
    lookup_inode,
    vfs_getattr,
    vfs_mkdir,
    vfs_unlink,
)

if TYPE_CHECKING:
    from kernel.state import KernelState

_SETFL_MASK: Final = O_APPEND | O_NONBLOCK | O_NOATIME
_CREATION_FLAGS: Final = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC
_MAX_OFFSET: Final = (1 << 63) - 1
_MAX_FDS: Final = 1 << 20  # fs.nr_open


class File:
    """An open file description (``struct file``). ``count`` references; ``flags`` as F_GETFL."""

    __slots__ = ("count", "flags", "inode", "pos", "readable", "writable")

    def __init__(self, inode: Inode, flags: int) -> None:
        self.inode = inode
        self.flags = flags
        self.pos = 0
        self.count = 1
        access = flags & O_ACCMODE
        self.readable = access in (O_RDONLY, O_RDWR)
        self.writable = access in (O_WRONLY, O_RDWR)


class FdSharers:
    """How many descriptor tables have one map in common."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 1


class FilesStruct:
    """A descriptor table (``files_struct``), shared by ``count`` tasks.

    ``open_fds`` and ``close_on_exec`` are bit masks over descriptors.
    """

    __slots__ = ("close_on_exec", "count", "fd", "open_fds", "sharers", "slot")

    def __init__(
        self,
        fd: dict[int, File],
        open_fds: int,
        close_on_exec: int,
        slot: int,
        sharers: FdSharers | None = None,
    ) -> None:
        self.fd = fd
        self.open_fds = open_fds
        self.close_on_exec = close_on_exec
        self.count = 1
        self.sharers = FdSharers() if sharers is None else sharers  # of ``fd``
        self.slot = slot  # in the files_cache slab cache


class FsStruct:
    """Working directory, root and umask (``fs_struct``), shared by ``users`` tasks."""

    __slots__ = ("cwd", "root", "slot", "umask", "users")

    def __init__(self, root: Inode, cwd: Inode, umask: int, slot: int) -> None:
        self.root = root
        self.cwd = cwd
        self.umask = umask
        self.users = 1
        self.slot = slot


# -- fork, exec, exit -----------------------------------------------------------------------------


def init_files(k: "KernelState") -> FilesStruct:
    """Return an empty descriptor table (init_files)."""
    return FilesStruct({}, 0, 0, k.slabs["files_cache"].alloc())


def init_fs(k: "KernelState") -> FsStruct:
    """Return the first task's file-system context: root directory, umask 022 (init_fs)."""
    return FsStruct(k.vfs.root, k.vfs.root, 0o022, k.slabs["fs_cache"].alloc())


def open_std(k: "KernelState", files: FilesStruct, label: str) -> None:
    """Open descriptors 0, 1, 2 of a configured program in ``files``, which is empty.

    Standard input is /dev/null; what goes to the others reaches ``k.output`` under the names
    ``label.stdout`` and ``label.stderr``.
    """
    fd_install(files, 0, File(k.vfs.null, O_RDONLY), cloexec=False)
    for fd, name in ((1, "stdout"), (2, "stderr")):
        inode = capture_inode(k, f"{label}.{name}")
        fd_install(files, fd, File(inode, O_WRONLY), cloexec=False)


def dup_fd(k: "KernelState", oldf: FilesStruct) -> FilesStruct:
    """Return a copy of the table ``oldf``; the files themselves are shared.

    Charges ``copy_files_per_fd`` for each descriptor.

    Raises:
        KernelError: ENOMEM.

    Source: fs/file.c:dup_fd().
    """
    slot = k.slabs["files_cache"].alloc()
    fd = oldf.fd
    k.now_ns += k.costs.copy_files_per_fd * len(fd)
    sharers = oldf.sharers
    sharers.count += 1
    return FilesStruct(fd, oldf.open_fds, oldf.close_on_exec, slot, sharers)


def own_fd(files: FilesStruct) -> dict[int, File]:
    """Return the map of ``files`` to be changed, copied first if another table shares it."""
    fd = files.fd
    if files.sharers.count > 1:
        files.sharers.count -= 1
        files.sharers = FdSharers()
        fd = files.fd = fd.copy()
        for file in fd.values():
            file.count += 1
    return fd


def leave_files(k: "KernelState", task: TaskStruct) -> bool:
    """Take ``task``'s table away if that releases no file; return whether it is done.

    What exit_files() comes to when all files are shared with somebody: no points, no wake-ups.
    """
    files: FilesStruct | None = task.files
    if files is not None:
        if files.count == 1:
            if files.sharers.count == 1 and files.fd:
                return False
            _drop_table(k, files)
        files.count -= 1
        task.files = None
    return True


def _drop_table(k: "KernelState", files: FilesStruct) -> None:
    """Free the table of the last task that leaves; its files are closed or somebody else's too."""
    files.sharers.count -= 1
    files.fd = {}
    files.open_fds = files.close_on_exec = 0
    k.slabs["files_cache"].free(files.slot)


def put_files_struct(k: "KernelState", files: FilesStruct) -> Path:
    """Leave the table; the last task to do so closes everything, lowest descriptor first.

    Source: fs/file.c:put_files_struct(), close_files().
    """
    files.count -= 1
    if files.count:
        return
    if files.sharers.count == 1:
        table = files.fd
        for fd in sorted(table):
            file = table[fd]
            file.count -= 1
            if not file.count:
                yield from _release(k, file)
    _drop_table(k, files)


def do_close_on_exec(k: "KernelState", files: FilesStruct) -> Path:
    """Close every descriptor that is marked close-on-exec. Source: fs/file.c:do_close_on_exec()."""
    while files.close_on_exec:
        mask = files.close_on_exec
        fd = (mask & -mask).bit_length() - 1
        yield from fput(k, fd_uninstall(files, fd))


def copy_fs_struct(k: "KernelState", old: FsStruct) -> FsStruct:
    """Return a copy of ``old`` with one user. Source: fs/fs_struct.c:copy_fs_struct().

    Raises:
        KernelError: ENOMEM.
    """
    return FsStruct(old.root, old.cwd, old.umask, k.slabs["fs_cache"].alloc())


def put_fs_struct(k: "KernelState", fs: FsStruct) -> None:
    """Leave ``fs``; the last task to do so frees it. Source: fs/fs_struct.c:exit_fs()."""
    fs.users -= 1
    if not fs.users:
        k.slabs["fs_cache"].free(fs.slot)


def set_mm_exe_file(mm: MmStruct, inode: Inode, path: str) -> None:
    """Note which file ``mm`` runs and keep writers out of it until the address space is gone.

    Raises:
        KernelError: ETXTBSY, somebody has it open for writing.

    Source: kernel/fork.c:set_mm_exe_file(), fs/exec.c:do_open_execat().
    """
    deny_write_access(inode, path)
    if mm.exe_file is not None:
        allow_write_access(mm.exe_file)
    mm.exe_file = inode


# -- descriptors ----------------------------------------------------------------------------------


def fget(files: FilesStruct, fd: int) -> File:
    """Return the file of descriptor ``fd``.

    Raises:
        KernelError: EBADF.

    Source: fs/file.c:fdget().
    """
    file = files.fd.get(fd)
    if file is None:
        raise KernelError(EBADF)
    return file


def get_unused_fd(k: "KernelState", files: FilesStruct, start: int = 0) -> int:
    """Return the lowest free descriptor that is at least ``start``; it is not taken yet.

    Raises:
        KernelError: EMFILE, it would be RLIMIT_NOFILE or more.

    Source: fs/file.c:alloc_fd(), __get_unused_fd_flags().
    """
    taken = files.open_fds >> start
    fd = start + (~taken & (taken + 1)).bit_length() - 1
    if fd >= rlimit(k, k.current.signal, RLIMIT_NOFILE):
        raise KernelError(EMFILE)
    return fd


def fd_install(files: FilesStruct, fd: int, file: File, *, cloexec: bool) -> None:
    """Give the free descriptor ``fd`` the file; its reference passes to the table.

    Source: fs/file.c:fd_install().
    """
    own_fd(files)[fd] = file
    files.open_fds |= 1 << fd
    if cloexec:
        files.close_on_exec |= 1 << fd


def fd_uninstall(files: FilesStruct, fd: int) -> File:
    """Free descriptor ``fd`` and return its file, whose reference passes to the caller.

    Raises:
        KernelError: EBADF.

    Source: fs/file.c:file_close_fd().
    """
    if fd not in files.fd:
        raise KernelError(EBADF)
    file = own_fd(files).pop(fd)
    files.open_fds &= ~(1 << fd)
    files.close_on_exec &= ~(1 << fd)
    return file


def fput(k: "KernelState", file: File) -> Path:
    """Drop a reference; the last one releases what the file holds. Source: fs/file_table.c:fput().

    Raises:
        InvariantError: more references were dropped than taken.
    """
    file.count -= 1
    if not file.count:
        yield from _release(k, file)
    elif file.count < 0:
        raise InvariantError(f"{file.inode!r} was closed more often than it was opened")


def _release(k: "KernelState", file: File) -> Path:
    """Source: fs/file_table.c:__fput()."""
    inode = file.inode
    if inode.kind == PIPE:
        yield from pipes.pipe_release(k, file)
    elif inode.kind == REGULAR:
        if file.writable:
            inode.i_writecount -= 1
        inode.nr_open -= 1
        _drop_content(k, inode)


def _drop_content(k: "KernelState", inode: Inode) -> None:
    """Free the content of a file that has no name any more and that nobody has open."""
    if not inode.nlink and not inode.nr_open:
        k.vfs.truncate(inode)


def close_fd(k: "KernelState", files: FilesStruct, fd: int) -> Path:
    """Close ``fd`` of ``files``.

    Raises:
        KernelError: EBADF.

    Source: fs/file.c:close_fd().
    """
    return fput(k, fd_uninstall(files, fd))


def do_dup2(
    k: "KernelState", files: FilesStruct, fd: int, fd2: int, *, cloexec: bool, dup3: bool
) -> Path:
    """Make ``fd2`` stand for the file of ``fd``, closing what it stood for; return ``fd2``.

    Args:
        cloexec: mark the copy close-on-exec.
        dup3: an equal pair is EINVAL, as in dup3(); else it is left as it is, as in dup2().

    Raises:
        KernelError: EINVAL; EBADF, ``fd`` is not open or ``fd2`` is out of range.

    Source: fs/file.c:ksys_dup3(), do_dup2(), dup2().
    """
    if fd == fd2:
        if dup3:
            raise KernelError(EINVAL)
        fget(files, fd)
        return fd
    if not 0 <= fd2 < rlimit(k, k.current.signal, RLIMIT_NOFILE):
        raise KernelError(EBADF)
    file = fget(files, fd)
    old = fd_uninstall(files, fd2) if fd2 in files.fd else None
    file.count += 1
    fd_install(files, fd2, file, cloexec=cloexec)
    if old is not None:
        yield from fput(k, old)
    return fd2


def sys_close(k: "KernelState", fd: int) -> Path:
    """Close a descriptor.

    Raises:
        KernelError: EBADF.

    Source: fs/open.c:close().
    """
    k.now_ns += k.costs.file_op
    return close_fd(k, k.current.files, fd)


def sys_dup(k: "KernelState", fd: int) -> int:
    """Return a new descriptor for the file of ``fd``, close-on-exec: CPython's dup (PEP 446).

    Raises:
        KernelError: EBADF, EMFILE.

    Source: fs/fcntl.c:f_dupfd() (CPython calls fcntl with F_DUPFD_CLOEXEC).
    """
    return sys_fcntl(k, fd, F_DUPFD_CLOEXEC, 0)


def sys_dup2(k: "KernelState", fd: int, fd2: int, inheritable: bool) -> Path:
    """Make ``fd2`` stand for the file of ``fd``; return ``fd2``.

    ``inheritable`` is dup2(); otherwise it is dup3() with O_CLOEXEC, which refuses an equal pair.

    Raises:
        KernelError: EBADF, EINVAL.

    Source: fs/file.c:dup2(), dup3(); CPython Modules/posixmodule.c:os_dup2_impl().
    """
    k.now_ns += k.costs.file_op
    return do_dup2(k, k.current.files, fd, fd2, cloexec=not inheritable, dup3=not inheritable)


def sys_fcntl(k: "KernelState", fd: int, command: int, argument: int) -> int:
    """F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL and F_SETFL.

    Raises:
        KernelError: EBADF; EINVAL, another command or a descriptor out of range; EMFILE.

    Source: fs/fcntl.c:do_fcntl(), setfl().
    """
    k.now_ns += k.costs.file_op
    files: FilesStruct = k.current.files
    file = fget(files, fd)
    if command in (F_DUPFD, F_DUPFD_CLOEXEC):
        if not 0 <= argument < rlimit(k, k.current.signal, RLIMIT_NOFILE):
            raise KernelError(EINVAL)
        new = get_unused_fd(k, files, argument)
        file.count += 1
        fd_install(files, new, file, cloexec=command == F_DUPFD_CLOEXEC)
        return new
    if command == F_GETFD:
        return files.close_on_exec >> fd & FD_CLOEXEC
    if command == F_SETFD:
        files.close_on_exec &= ~(1 << fd)
        files.close_on_exec |= (argument & FD_CLOEXEC) << fd
        return 0
    if command == F_GETFL:
        return file.flags
    if command == F_SETFL:
        file.flags = file.flags & ~_SETFL_MASK | argument & _SETFL_MASK
        return 0
    raise KernelError(EINVAL)


# -- open -----------------------------------------------------------------------------------------


def sys_open(k: "KernelState", path: str, flags: int, mode: int) -> int:
    """Open ``path`` and return a descriptor.

    Raises:
        KernelError: with ``path``: ENOENT, ENAMETOOLONG, EMFILE, in this order; then as
            ``open_file``.

    Source: fs/open.c:do_sys_openat2(), build_open_flags().
    """
    k.now_ns += k.costs.file_op
    if flags & O_CREAT and flags & O_DIRECTORY:
        raise KernelError(EINVAL, path)
    check_path(path)
    files: FilesStruct = k.current.files
    try:
        fd = get_unused_fd(k, files)
    except KernelError as failed:
        raise KernelError(failed.errno, path) from None
    fd_install(files, fd, open_file(k, path, flags, mode), cloexec=bool(flags & O_CLOEXEC))
    return fd


def open_file(k: "KernelState", path: str, flags: int, mode: int) -> File:
    """Return a new open file description of ``path``.

    Args:
        flags: O_* of the ABI.
        mode: permission bits of a file that O_CREAT makes, before the umask.

    Raises:
        KernelError: with ``path``. As ``lookup``; EEXIST, EISDIR, ENOTDIR, EACCES; ETXTBSY, opened
            for writing while it is run; EPERM, O_NOATIME on somebody else's file; EOPNOTSUPP,
            O_TMPFILE; EINVAL, O_DIRECT and O_PATH, which are not there.

    Source: fs/namei.c:open_last_lookups(), do_open(), may_open(); fs/open.c:do_dentry_open().
    """
    if flags & O_TMPFILE == O_TMPFILE:
        raise KernelError(EOPNOTSUPP, path)
    if flags & (O_DIRECT | O_PATH):
        raise KernelError(EINVAL, path)
    check_path(path)
    place = lookup(k, path, creating=flags & O_CREAT != 0)
    inode = place.inode
    access = 0
    created = False
    if flags & O_CREAT:
        if inode is None:
            inode = create(k, place, REGULAR, mode & 0o7777, path)
            created = True
        elif flags & O_EXCL:
            raise KernelError(EEXIST, path)
        elif inode.kind == DIRECTORY:
            raise KernelError(EISDIR, path)
    if inode is None:
        raise KernelError(ENOENT, path)
    if flags & O_DIRECTORY and inode.kind != DIRECTORY:
        raise KernelError(ENOTDIR, path)
    file = File(inode, flags & ~_CREATION_FLAGS | O_LARGEFILE)
    if not created:
        if file.readable or flags & O_ACCMODE == O_ACCMODE:
            access |= MAY_READ
        if file.writable or flags & O_ACCMODE == O_ACCMODE or flags & O_TRUNC:
            access |= MAY_WRITE
        if inode.kind == DIRECTORY and access & MAY_WRITE:
            raise KernelError(EISDIR, path)
        cred = k.current.cred
        if not inode_permission(inode, access, cred.euid, cred.egid):
            raise KernelError(EACCES, path)
        if flags & O_NOATIME and cred.euid not in (0, inode.uid):
            raise KernelError(EPERM, path)
    if inode.kind == REGULAR:
        if file.writable:
            get_write_access(inode, path)
        if flags & O_TRUNC and not created:
            if not file.writable:  # for the moment of truncating
                get_write_access(inode, path)
                inode.i_writecount -= 1
            k.vfs.truncate(inode)
            inode.mtime_ns = inode.ctime_ns = k.vfs.epoch_ns + k.now_ns
        inode.nr_open += 1
    return file


# -- read, write, seek ----------------------------------------------------------------------------


def sys_read(k: "KernelState", fd: int, count: int) -> Any:
    """Read up to ``count`` bytes; b"" at the end of a file.

    Returns:
        bytes; of a pipe, a path that returns them.

    Raises:
        KernelError: EBADF, not open or not for reading; EISDIR; EINVAL, a negative count; of a
            pipe EAGAIN.

    Source: fs/read_write.c:ksys_read(), vfs_read().
    """
    file = fget(k.current.files, fd)
    if not file.readable:
        raise KernelError(EBADF)
    if count < 0:
        raise KernelError(EINVAL)
    inode = file.inode
    kind = inode.kind
    if kind == PIPE:
        path = pipes.pipe_read(k, file, min(count, MAX_RW_COUNT))
        return _hold(k, file, path) if k.current.files.count > 1 else path
    k.now_ns += k.costs.file_op
    if kind == DIRECTORY:
        raise KernelError(EISDIR)
    if kind == PIDFD:
        raise KernelError(EINVAL)
    if kind == NULL:
        return b""
    if kind == ZERO:
        data = bytes(min(count, _ZERO_MAX))
    else:
        data = k.vfs.read(inode, file.pos, min(count, MAX_RW_COUNT))
        file.pos += len(data)
    k.now_ns += len(data) * k.costs.copy_byte_x1000 // 1000
    return data


def _hold(k: "KernelState", file: File, path: Path) -> Path:
    """Run ``path`` with a reference on ``file``: another thread may close it meanwhile.

    A task whose table is its own needs none. Source: fs/file.c:fdget(), fdput().
    """
    file.count += 1
    holds = k.vfs.holds
    holds[file] = holds.get(file, 0) + 1
    failed: Exception | None = None
    result = None
    try:
        result = yield from path
    except (KernelError, RestartSyscall) as error:  # not finally: a dropped path must not yield
        failed = error
    holds[file] -= 1
    if not holds[file]:
        del holds[file]
    yield from fput(k, file)
    if failed is not None:
        raise failed
    return result


_ZERO_MAX: Final = 1 << 24
"""Deviation: one read of /dev/zero gives at most 16 MiB."""


def sys_write(k: "KernelState", fd: int, data: bytes) -> Any:
    """Write ``data`` and return how many bytes were written.

    Returns:
        int; of a pipe, a path that returns it.

    Raises:
        KernelError: EBADF, not open or not for writing; EFBIG, ENOSPC; of a pipe EAGAIN, EPIPE.

    Source: fs/read_write.c:ksys_write(), vfs_write(); mm/filemap.c:generic_write_checks().
    """
    file = fget(k.current.files, fd)
    if not file.writable:
        raise KernelError(EBADF)
    inode = file.inode
    kind = inode.kind
    if kind == PIPE:
        path = pipes.pipe_write(k, file, data)
        return _hold(k, file, path) if k.current.files.count > 1 else path
    count = len(data)
    k.now_ns += k.costs.file_op + count * k.costs.copy_byte_x1000 // 1000
    if kind == CAPTURE:
        if count:
            k.output(inode.name, bytes(data))
        return count
    if kind == PIDFD:
        raise KernelError(EINVAL)
    if kind in (NULL, ZERO) or not count:
        return count
    pos = inode.size if file.flags & O_APPEND else file.pos
    if pos + count > _MAX_OFFSET:
        raise KernelError(EFBIG)
    done: int = k.vfs.write(inode, pos, data)
    file.pos = pos + done
    inode.mtime_ns = inode.ctime_ns = k.vfs.epoch_ns + k.now_ns
    return done


def sys_lseek(k: "KernelState", fd: int, offset: int, whence: int) -> int:
    """Move the offset of a file and return it.

    Raises:
        KernelError: EBADF; EINVAL, unknown ``whence`` or a negative result; ESPIPE, a pipe;
            ENXIO, SEEK_DATA or SEEK_HOLE beyond the end.

    Source: fs/read_write.c:ksys_lseek(), generic_file_llseek(); drivers/char/mem.c:null_lseek().
    """
    k.now_ns += k.costs.file_op
    file = fget(k.current.files, fd)
    if not SEEK_SET <= whence <= SEEK_HOLE:
        raise KernelError(EINVAL)
    inode = file.inode
    if inode.kind in (PIPE, CAPTURE, PIDFD):
        raise KernelError(ESPIPE)
    if inode.kind in (NULL, ZERO):
        file.pos = 0
        return 0
    size = PAGE_SIZE if inode.kind == DIRECTORY else inode.size
    if whence == SEEK_CUR:
        offset += file.pos
    elif whence == SEEK_END:
        offset += size
    elif whence in (SEEK_DATA, SEEK_HOLE):
        offset = _seek_extent(inode, offset, size, whence)
    if not 0 <= offset <= _MAX_OFFSET:
        raise KernelError(EINVAL)
    file.pos = offset
    return offset


def _seek_extent(inode: Inode, offset: int, size: int, whence: int) -> int:
    """Return the first data or hole at or after ``offset``.

    Source: mm/shmem.c:shmem_file_llseek(), mm/filemap.c:mapping_seek_hole_data().
    """
    if not 0 <= offset < size:
        raise KernelError(ENXIO)
    pages = inode.pages or {}
    data = whence == SEEK_DATA
    first = offset // PAGE_SIZE
    for index in [first, *sorted(page for page in pages if page > first)] if data else [first]:
        if data and index in pages:
            return max(offset, index * PAGE_SIZE)
    if data:
        raise KernelError(ENXIO)
    while first in pages:
        first += 1
    return min(size, max(offset, first * PAGE_SIZE))


# -- paths and attributes -------------------------------------------------------------------------


def sys_stat(k: "KernelState", path: str) -> tuple[int, ...]:
    """Return the ten fields of os.stat_result for ``path``.

    Raises:
        KernelError: as ``vfs.lookup_inode``.

    Source: fs/stat.c:vfs_statx().
    """
    k.now_ns += k.costs.file_op
    return vfs_getattr(k, lookup_inode(k, path))


def sys_fstat(k: "KernelState", fd: int) -> tuple[int, ...]:
    """Return the ten fields of os.stat_result for an open file.

    Raises:
        KernelError: EBADF.

    Source: fs/stat.c:vfs_fstat().
    """
    k.now_ns += k.costs.file_op
    return vfs_getattr(k, fget(k.current.files, fd).inode)


def sys_access(k: "KernelState", path: str, mode: int) -> bool:
    """Tell whether the *real* uid and gid may access ``path`` (os.access: any error is False).

    Args:
        mode: F_OK or a sum of R_OK, W_OK, X_OK; any other bit is EINVAL, hence False.

    Source: fs/open.c:do_faccessat().
    """
    k.now_ns += k.costs.file_op
    if mode & ~(R_OK | W_OK | X_OK):
        return False
    cred = k.current.cred
    try:
        check_path(path)
        inode = lookup(k, path, cred.uid, cred.gid).inode
    except KernelError:
        return False
    if inode is None:
        return False
    return mode == F_OK or inode_permission(inode, mode, cred.uid, cred.gid)


def sys_getcwd(k: "KernelState") -> str:
    """Return the working directory.

    Raises:
        KernelError: ENOENT, it has been removed.

    Source: fs/d_path.c:getcwd().
    """
    k.now_ns += k.costs.file_op
    return d_path(k, k.current.fs.cwd)


def sys_chdir(k: "KernelState", path: str) -> None:
    """Change the working directory of every task that shares it.

    Raises:
        KernelError: as ``vfs.lookup_inode``; ENOTDIR, EACCES.

    Source: fs/open.c:chdir().
    """
    k.now_ns += k.costs.file_op
    inode = lookup_inode(k, path)
    if inode.kind != DIRECTORY:
        raise KernelError(ENOTDIR, path)
    cred = k.current.cred
    if not inode_permission(inode, MAY_EXEC, cred.euid, cred.egid):
        raise KernelError(EACCES, path)
    k.current.fs.cwd = inode


def sys_mkdir(k: "KernelState", path: str, mode: int) -> None:
    """Make a directory. See ``vfs.vfs_mkdir``. Source: fs/namei.c:do_mkdirat()."""
    k.now_ns += k.costs.file_op
    vfs_mkdir(k, path, mode)


def sys_unlink(k: "KernelState", path: str) -> None:
    """Remove a file's name. See ``vfs.vfs_unlink``. Source: fs/namei.c:do_unlinkat()."""
    k.now_ns += k.costs.file_op
    _drop_content(k, vfs_unlink(k, path))


def sys_chmod(k: "KernelState", path: str, mode: int) -> None:
    """Set the permission bits of ``path``.

    Raises:
        KernelError: as ``vfs.lookup_inode``; EPERM, somebody else's file.

    Source: fs/open.c:chmod_common(), fs/attr.c:setattr_prepare().
    """
    k.now_ns += k.costs.file_op
    inode = lookup_inode(k, path)
    cred = k.current.cred
    if cred.euid not in (0, inode.uid):
        raise KernelError(EPERM, path)
    mode &= 0o7777
    if cred.euid != 0 and cred.egid != inode.gid:
        mode &= ~0o2000
    inode.mode = inode.mode & ~0o7777 | mode
    k.vfs.programs.clear()
    inode.ctime_ns = k.vfs.epoch_ns + k.now_ns


def sys_umask(k: "KernelState", mask: int) -> int:
    """Set the umask; return the old one. Source: kernel/sys.c:umask()."""
    fs = k.current.fs
    old: int = fs.umask
    fs.umask = mask & 0o777
    return old


def sys_pipe2(k: "KernelState", flags: int) -> tuple[int, int]:
    """Make a pipe; return ``(read fd, write fd)``.

    Args:
        flags: O_CLOEXEC and O_NONBLOCK.

    Raises:
        KernelError: EINVAL, other flags; EMFILE, fewer than two descriptors are left.

    Source: fs/pipe.c:do_pipe2(), create_pipe_files().
    Deviation: no packet mode (O_DIRECT) and no O_NOTIFICATION_PIPE: EINVAL.
    """
    k.now_ns += k.costs.pipe_op
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise KernelError(EINVAL)
    files: FilesStruct = k.current.files
    read_fd = get_unused_fd(k, files)
    write_fd = get_unused_fd(k, files, read_fd + 1)
    inode = pipes.get_pipe_inode(k)
    cloexec = bool(flags & O_CLOEXEC)
    extra = flags & O_NONBLOCK
    fd_install(files, read_fd, File(inode, O_RDONLY | extra), cloexec=cloexec)
    fd_install(files, write_fd, File(inode, O_WRONLY | extra), cloexec=cloexec)
    return read_fd, write_fd
