"""The file tree a machine boots with: a fixed skeleton and ``MachineSpec.files``.

Source: init/initramfs.c (populate_rootfs).
"""

from typing import TYPE_CHECKING

from kernel.fs.inode import DIRECTORY, FULL, REGULAR, ZERO, Inode, Vfs
from kernel.uapi.fcntl import S_IFCHR, S_IFDIR, S_IFMT, S_IFREG
from kernel.uapi.mman import PAGE_SIZE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.machine import FileSpec


def boot_vfs(k: "Kernel") -> Vfs:
    """Return the file tree of ``k.spec``; the caller keeps it as ``k.vfs``.

    Directories on the way to a configured file are made as needed, mode 755 of root.

    Raises:
        ValueError: a configured path is not absolute, names a directory of the skeleton, or goes
            through a file.
    """
    spec = k.spec
    vfs = Vfs(spec.epoch_ns, spec.memory_bytes // 2 // PAGE_SIZE)
    for path, mode in (
        ("/bin", 0o755),
        ("/dev", 0o755),
        ("/proc", 0o555),
        ("/tmp", 0o1777),
        ("/usr", 0o755),
        ("/usr/bin", 0o755),
    ):
        directory, name = _boot_place(vfs, path)
        vfs.link(directory, name, vfs.new_inode(DIRECTORY, S_IFDIR | mode, 0, 0, 0))
    directory, name = _boot_place(vfs, "/dev/null")
    vfs.link(directory, name, vfs.null)
    directory, name = _boot_place(vfs, "/dev/zero")
    vfs.link(directory, name, vfs.new_inode(ZERO, S_IFCHR | 0o666, 0, 0, 0))
    directory, name = _boot_place(vfs, "/dev/full")
    vfs.link(directory, name, vfs.new_inode(FULL, S_IFCHR | 0o666, 0, 0, 0))
    for path in sorted(spec.files):
        file = spec.files[path]
        directory, name = _boot_place(vfs, path)
        mode = file.mode
        if mode & S_IFMT == S_IFDIR:
            _boot_directory(vfs, directory, name, file)
            continue
        if directory.entries is None or name in directory.entries:
            raise ValueError(f"{path}: the file tree has a directory or device of this name")
        if mode & S_IFMT not in (0, S_IFREG):
            raise ValueError(f"{path}: mode {mode:#o} is not that of a regular file")
        inode = vfs.new_inode(REGULAR, S_IFREG | (mode & 0o7777), file.uid, file.gid, 0)
        inode.image = file.image
        if file.content:
            vfs.write(inode, 0, file.content)
        vfs.link(directory, name, inode)
    return vfs


def _boot_directory(vfs: Vfs, parent: Inode, name: str, file: "FileSpec") -> None:
    """Make a configured directory; one that is there already keeps its mode and owner."""
    assert parent.entries is not None
    there = parent.entries.get(name)
    if there is None:
        inode = vfs.new_inode(DIRECTORY, file.mode, file.uid, file.gid, 0)
        vfs.link(parent, name, inode)
    elif there.entries is None:
        raise ValueError(f"{name}: a configured directory is a file in the file tree")


def _boot_place(vfs: Vfs, path: str) -> tuple[Inode, str]:
    """Return the directory of ``path``, made if need be, and the last component."""
    parts = [part for part in path.split("/") if part]
    if not path.startswith("/") or not parts or "." in parts or ".." in parts:
        raise ValueError(f"{path}: not an absolute path without . and ..")
    where = vfs.root
    for part in parts[:-1]:
        if where.entries is None:
            raise ValueError(f"{path}: goes through a file")
        inode = where.entries.get(part)
        if inode is None:
            inode = vfs.new_inode(DIRECTORY, S_IFDIR | 0o755, 0, 0, 0)
            vfs.link(where, part, inode)
        where = inode
    if where.entries is None:
        raise ValueError(f"{path}: goes through a file")
    return where, parts[-1]
