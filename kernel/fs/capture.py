"""Standard output and error of configured programs: files whose data go to the host side."""

from typing import TYPE_CHECKING

from kernel.fs.file import FilesStruct, fd_install
from kernel.fs.file_table import alloc_file
from kernel.fs.inode import CAPTURE, Inode
from kernel.uapi.fcntl import O_RDONLY, O_WRONLY, S_IFIFO

if TYPE_CHECKING:
    from kernel.state import KernelState


def capture_inode(k: "KernelState", name: str) -> Inode:
    """Return a write-only file without a path whose data go to ``k.output(name, data)``.

    To the guest it is a pipe that never fills and always has a reader.
    """
    inode: Inode = k.vfs.new_inode(CAPTURE, S_IFIFO | 0o600, 0, 0, k.now_ns)
    inode.name = name
    return inode


def open_std(k: "KernelState", files: FilesStruct, label: str) -> None:
    """Open descriptors 0, 1, 2 of a configured program in ``files``, which is empty.

    Standard input is /dev/null; what goes to the others reaches ``k.output`` under the names
    ``label.stdout`` and ``label.stderr``.
    """
    fd_install(files, 0, alloc_file(k, k.vfs.null, O_RDONLY), cloexec=False)
    for fd, name in ((1, "stdout"), (2, "stderr")):
        inode = capture_inode(k, f"{label}.{name}")
        fd_install(files, fd, alloc_file(k, inode, O_WRONLY), cloexec=False)
