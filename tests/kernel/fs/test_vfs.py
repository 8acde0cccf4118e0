"""The file tree at boot, and the limits of its memory."""

from typing import Any

import pytest

from kernel.errors import KernelError
from kernel.fs.dirops import sys_unlink
from kernel.fs.inode import content
from kernel.fs.namei import inode_permission, lookup_inode, path_lookup_exec
from kernel.fs.open import sys_close, sys_open
from kernel.fs.read_write import sys_write
from kernel.fs.stat import sys_stat
from kernel.machine import FileSpec, ImageSpec
from kernel.uapi.errno_ import ENOSPC
from kernel.uapi.fcntl import O_CREAT, O_WRONLY


def test_tree_has_its_skeleton_and_the_configured_files(make_mini: Any) -> None:
    image = ImageSpec("prog")
    k = make_mini(
        files={
            "/home/u/prog.py": FileSpec(mode=0o755, content=b"#!x\n", image=image, uid=7, gid=8)
        },
        epoch_ns=5_000_000_000,
    )
    assert k.call(sys_stat, "/tmp")[0] == 0o41777
    assert k.call(sys_stat, "/home/u")[0] == 0o40755
    fields = k.call(sys_stat, "/home/u/prog.py")
    assert (fields[0], fields[3:7], fields[8]) == (0o100755, (1, 7, 8, 4), 5)
    inode = path_lookup_exec(k, "/home/u/prog.py")
    assert inode.image is image
    assert content(k, inode) == b"#!x\n"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("relative", "absolute"),
        ("/a/../b", "absolute"),
        ("/", "absolute"),
        ("/tmp", "directory"),
        ("/dev/null/x", "through a file"),
    ],
)
def test_configured_paths_that_make_no_sense_are_refused(
    make_mini: Any, path: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_mini(files={path: FileSpec()})


def test_files_may_fill_half_of_memory_and_give_it_back(make_mini: Any) -> None:
    k = make_mini(memory_bytes=400 * 4096)
    fd = k.call(sys_open, "/tmp/f", O_CREAT | O_WRONLY, 0o644)
    assert k.call(sys_write, fd, bytes(250 * 4096)) == 200 * 4096
    with pytest.raises(KernelError) as failed:
        k.call(sys_write, fd, b"x")
    assert failed.value.errno == ENOSPC
    k.call(sys_unlink, "/tmp/f")
    k.call(sys_close, fd)
    fd = k.call(sys_open, "/tmp/g", O_CREAT | O_WRONLY, 0o644)
    assert k.call(sys_write, fd, b"x") == 1


def test_permission_classes_exclude_each_other(mini: Any) -> None:
    """The owner is judged by the owner bits alone, even if others may more."""
    inode = lookup_inode(mini, "/tmp")
    inode.mode, inode.uid, inode.gid = 0o40074, 5, 6
    assert not inode_permission(inode, 4, 5, 6)
    assert inode_permission(inode, 7, 9, 6)
    assert inode_permission(inode, 4, 9, 9)
    assert not inode_permission(inode, 2, 9, 9)
    assert inode_permission(inode, 7, 0, 0)
