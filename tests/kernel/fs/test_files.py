"""Descriptors and files. Every errno here was seen on the host's kernel."""

from typing import Any

import pytest

from kernel.errors import KernelError
from kernel.fs.capture import open_std
from kernel.fs.d_path import sys_getcwd
from kernel.fs.dirops import sys_mkdir, sys_unlink
from kernel.fs.fcntl import sys_dup, sys_fcntl
from kernel.fs.file import do_close_on_exec, dup_fd, own_fd, put_files_struct, sys_dup2
from kernel.fs.fs_struct import sys_umask
from kernel.fs.inode import set_mm_exe_file
from kernel.fs.namei import lookup_inode, path_lookup_exec
from kernel.fs.open import sys_access, sys_chdir, sys_chmod, sys_close, sys_open
from kernel.fs.read_write import sys_lseek, sys_read, sys_write
from kernel.fs.stat import sys_fstat, sys_stat
from kernel.ipc.pipe import sys_pipe2
from kernel.machine import FileSpec, ImageSpec, SpawnSpec
from kernel.mm.mm import mmput
from kernel.uapi import errno_ as e
from kernel.uapi.fcntl import (
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_GETFL,
    F_SETFD,
    F_SETFL,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
)

CREATE = O_CREAT | O_RDWR


def fails(errno: int, k: Any, function: Any, *args: Any, filename: str | None = None) -> None:
    """Check that a call fails with ``errno`` and names ``filename``."""
    with pytest.raises(KernelError) as failed:
        k.call(function, *args)
    assert (failed.value.errno, failed.value.filename) == (errno, filename)


@pytest.fixture
def k(mini: Any) -> Any:
    """A kernel whose current task is in /tmp with umask 022."""
    mini.call(sys_chdir, "/tmp")
    return mini


def test_lowest_free_descriptor_is_used(k: Any) -> None:
    fds = [k.call(sys_open, "/dev/null", O_RDWR, 0) for _ in range(4)]
    assert fds == [0, 1, 2, 3]
    k.call(sys_close, 1)
    assert k.call(sys_dup, 3) == 1
    assert k.call(sys_fcntl, 0, F_DUPFD, 7) == 7
    assert k.call(sys_dup, 0) == 4


def test_bad_descriptors_are_ebadf(k: Any) -> None:
    for function, args in (
        (sys_read, (9, 1)),
        (sys_write, (9, b"x")),
        (sys_close, (9,)),
        (sys_dup, (9,)),
        (sys_dup2, (9, 9, True)),
        (sys_dup2, (9, -1, True)),
        (sys_fstat, (9,)),
        (sys_lseek, (9, 0, 99)),
        (sys_fcntl, (9, F_GETFD, 0)),
    ):
        fails(e.EBADF, k, function, *args)


def test_limit_of_open_files_is_emfile_before_the_path_is_looked_at(k: Any) -> None:
    k.current.signal.rlim = {7: (4, 4)}
    for _ in range(3):
        k.call(sys_open, "/dev/null", O_RDWR, 0)
    fails(e.EMFILE, k, sys_pipe2, 0)
    assert k.call(sys_dup, 0) == 3
    fails(e.EMFILE, k, sys_dup, 0)
    fails(e.EMFILE, k, sys_open, "/nonexist", 0, 0, filename="/nonexist")
    fails(e.ENOENT, k, sys_open, "", 0, 0, filename="")
    fails(e.EBADF, k, sys_dup2, 0, 4, True)
    fails(e.EINVAL, k, sys_fcntl, 0, F_DUPFD, 4)


def test_dup2_of_equal_descriptors_is_refused_unless_inheritable(k: Any) -> None:
    fd = k.call(sys_open, "/dev/null", O_CLOEXEC, 0)
    assert k.call(sys_dup2, fd, fd, True) == fd
    assert k.call(sys_fcntl, fd, F_GETFD, 0) == 1
    fails(e.EINVAL, k, sys_dup2, fd, fd, False)


def test_python_descriptors_are_close_on_exec_and_dup2_copies_are_not(k: Any) -> None:
    fd = k.call(sys_open, "f", CREATE, 0o644)
    assert k.call(sys_fcntl, fd, F_GETFD, 0) == 0
    copy = k.call(sys_dup, fd)
    assert k.call(sys_fcntl, copy, F_GETFD, 0) == 1
    assert k.call(sys_dup2, fd, 9, True) == 9
    assert k.call(sys_dup2, fd, 10, False) == 10
    assert [k.call(sys_fcntl, number, F_GETFD, 0) for number in (9, 10)] == [0, 1]
    k.call(sys_fcntl, fd, F_SETFD, 1)
    k.call(do_close_on_exec, k.current.files)
    assert sorted(k.current.files.fd) == [9]
    assert k.current.files.open_fds == 1 << 9


def test_file_status_flags_are_shared_and_descriptor_flags_are_not(k: Any) -> None:
    fd = k.call(sys_open, "f", O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o644)
    assert k.call(sys_fcntl, fd, F_GETFL, 0) == 0o102001
    copy = k.call(sys_fcntl, fd, F_DUPFD_CLOEXEC, 50)
    assert copy == 50
    assert k.call(sys_fcntl, copy, F_SETFL, O_NONBLOCK) == 0
    assert k.call(sys_fcntl, fd, F_GETFL, 0) == 0o104001
    fails(e.EINVAL, k, sys_fcntl, fd, 999, 0)
    fails(e.EINVAL, k, sys_fcntl, fd, F_DUPFD, -1)
    read_end, write_end = k.call(sys_pipe2, O_NONBLOCK)
    assert k.call(sys_fcntl, read_end, F_GETFL, 0) == 0o4000
    assert k.call(sys_fcntl, write_end, F_GETFL, 0) == 0o4001


def test_offset_is_shared_by_dup_and_fork_but_not_by_a_second_open(k: Any) -> None:
    fd = k.call(sys_open, "f", CREATE, 0o644)
    k.call(sys_write, fd, b"abcdef")
    k.call(sys_lseek, fd, 0, 0)
    child = k.fork()
    other = k.call(sys_open, "f", O_RDONLY, 0)
    assert k.as_task(child, sys_read, fd, 2) == b"ab"
    assert k.call(sys_read, k.call(sys_dup, fd), 2) == b"cd"
    assert k.call(sys_read, other, 10) == b"abcdef"
    assert k.call(sys_read, other, 10) == b""


def test_child_keeps_a_file_open_that_the_parent_closes(k: Any) -> None:
    fd = k.call(sys_open, "f", CREATE, 0o644)
    child = k.fork()
    k.call(sys_close, fd)
    assert k.as_task(child, sys_write, fd, b"x") == 1
    k.call(put_files_struct, child.files)
    assert lookup_inode(k, "f").i_writecount == 0
    assert lookup_inode(k, "f").nr_open == 0


def test_seek_and_holes(k: Any) -> None:
    fd = k.call(sys_open, "f", CREATE, 0o644)
    assert k.call(sys_lseek, fd, 10, 2) == 10
    assert k.call(sys_write, fd, b"ab") == 2
    assert k.call(sys_lseek, fd, 0, 0) == 0
    assert k.call(sys_read, fd, 100) == bytes(10) + b"ab"
    fails(e.EINVAL, k, sys_lseek, fd, -1, 0)
    fails(e.EINVAL, k, sys_lseek, fd, 0, 9)
    assert k.call(sys_lseek, fd, 0, 3) == 0
    assert k.call(sys_lseek, fd, 0, 4) == 12
    fails(e.ENXIO, k, sys_lseek, fd, 50, 3)
    k.call(sys_lseek, fd, 5 << 40, 0)
    k.call(sys_write, fd, b"far")
    assert k.call(sys_fstat, fd)[6] == (5 << 40) + 3
    assert k.call(sys_lseek, fd, 5000, 3) == 5 << 40


def test_append_writes_at_the_end_whatever_the_offset(k: Any) -> None:
    fd = k.call(sys_open, "f", CREATE, 0o644)
    k.call(sys_write, fd, b"abc")
    tail = k.call(sys_open, "f", O_WRONLY | O_APPEND, 0)
    k.call(sys_write, tail, b"de")
    k.call(sys_lseek, fd, 0, 0)
    assert k.call(sys_read, fd, 9) == b"abcde"
    fails(e.EBADF, k, sys_read, tail, 1)
    fails(e.EBADF, k, sys_write, k.call(sys_open, "f", O_RDONLY, 0), b"x")


def test_directories_are_read_only_and_not_readable_as_files(k: Any) -> None:
    fails(e.EISDIR, k, sys_open, ".", O_WRONLY, 0, filename=".")
    fails(e.EISDIR, k, sys_open, ".", O_CREAT, 0, filename=".")
    fails(e.EEXIST, k, sys_open, ".", O_CREAT | O_EXCL, 0, filename=".")
    fd = k.call(sys_open, ".", O_RDONLY | O_DIRECTORY, 0)
    fails(e.EISDIR, k, sys_read, fd, 0)
    fails(e.EBADF, k, sys_write, fd, b"x")


def test_errors_of_open_name_the_path(k: Any) -> None:
    k.call(sys_open, "f", CREATE, 0o644)
    k.call(sys_mkdir, "d/", 0o777)
    for errno, path, flags in (
        (e.ENOENT, "none", 0),
        (e.ENOENT, "none/x", CREATE),
        (e.ENOTDIR, "f/x", 0),
        (e.ENOTDIR, "f/", 0),
        (e.EISDIR, "g/", O_CREAT | O_WRONLY),
        (e.EEXIST, "f", O_CREAT | O_EXCL),
        (e.ENOTDIR, "f", O_DIRECTORY),
        (e.ENAMETOOLONG, "x" * 256, O_CREAT),
        (e.ENAMETOOLONG, "é" * 128, O_CREAT),
        (e.ENAMETOOLONG, "x/" * 2500, O_CREAT),
    ):
        fails(errno, k, sys_open, path, flags, 0o644, filename=path)
    assert k.call(sys_open, "x" * 255, CREATE, 0o644)


def test_failed_open_leaves_its_descriptor_free(k: Any) -> None:
    fails(e.ENOENT, k, sys_open, "none", 0, 0, filename="none")
    assert k.call(sys_open, "/dev/null", 0, 0) == 0


def test_mkdir_unlink_chdir_errors(k: Any) -> None:
    k.call(sys_open, "f", CREATE, 0o644)
    k.call(sys_mkdir, "d", 0o7777)
    assert k.call(sys_stat, "d")[0] == 0o41755
    for errno, function, path in (
        (e.EEXIST, sys_mkdir, "f"),
        (e.EEXIST, sys_mkdir, "."),
        (e.EEXIST, sys_mkdir, "/"),
        (e.ENOENT, sys_mkdir, ""),
        (e.EISDIR, sys_unlink, "d"),
        (e.EISDIR, sys_unlink, "."),
        (e.ENOTDIR, sys_unlink, "f/"),
        (e.ENOENT, sys_unlink, "none"),
        (e.ENOTDIR, sys_chdir, "f"),
        (e.ENOENT, sys_chdir, "none"),
    ):
        args = (path, 0o755) if function is sys_mkdir else (path,)
        fails(errno, k, function, *args, filename=path)


def test_working_directory_is_where_relative_paths_start(k: Any) -> None:
    k.call(sys_mkdir, "a", 0o755)
    k.call(sys_mkdir, "a/b", 0o755)
    k.call(sys_chdir, "a//b/.")
    assert k.call(sys_getcwd) == "/tmp/a/b"
    k.call(sys_chdir, "../../..")
    assert k.call(sys_getcwd) == "/"
    k.call(sys_chdir, "../..")
    assert k.call(sys_getcwd) == "/"
    assert k.call(sys_stat, "/tmp")[3] == 3


def test_umask_takes_bits_from_new_files(k: Any) -> None:
    assert k.call(sys_umask, 0o7777) == 0o22
    assert k.call(sys_umask, 0o27) == 0o777
    fd = k.call(sys_open, "f", CREATE, 0o666)
    assert k.call(sys_fstat, fd)[0] == 0o100640
    k.call(sys_chmod, "f", 0o17755)
    assert k.call(sys_fstat, fd)[0] == 0o107755
    fails(e.ENOENT, k, sys_chmod, "none", 0, filename="none")


def test_unlinked_file_lives_until_it_is_closed(k: Any) -> None:
    fd = k.call(sys_open, "f", CREATE, 0o644)
    k.call(sys_write, fd, b"abc")
    k.call(sys_unlink, "f")
    assert k.call(sys_fstat, fd)[3] == 0
    k.call(sys_lseek, fd, 0, 0)
    assert k.call(sys_read, fd, 9) == b"abc"
    assert k.vfs.nr_pages == 1
    k.call(sys_close, fd)
    assert k.vfs.nr_pages == 0


def test_truncating_open_empties_the_file_even_for_reading(k: Any) -> None:
    fd = k.call(sys_open, "f", CREATE, 0o644)
    k.call(sys_write, fd, b"abc")
    k.call(sys_open, "f", O_RDONLY | O_TRUNC, 0)
    assert k.call(sys_stat, "f")[6] == 0


def test_devices(k: Any) -> None:
    null = k.call(sys_open, "/dev/null", O_RDWR, 0)
    zero = k.call(sys_open, "/dev/zero", O_RDWR, 0)
    assert k.call(sys_read, null, 5) == b""
    assert k.call(sys_read, zero, 5) == bytes(5)
    for fd in (null, zero):
        assert k.call(sys_write, fd, b"abc") == 3
        assert k.call(sys_lseek, fd, 7, 0) == 0
        assert k.call(sys_fstat, fd)[0] == 0o20666


def test_standard_descriptors_of_a_program_are_captured(k: Any) -> None:
    open_std(k, k.current.files, "prog-3", SpawnSpec("/prog", ()))
    assert k.call(sys_read, 0, 10) == b""
    assert k.call(sys_write, 1, b"out") == 3
    assert k.call(sys_write, 2, b"") == 0
    assert k.call(sys_write, 2, b"err") == 3
    assert k.outputs == [("prog-3.stdout", b"out"), ("prog-3.stderr", b"err")]
    fails(e.EBADF, k, sys_read, 1, 1)
    fails(e.ESPIPE, k, sys_lseek, 1, 0, 0)
    assert [k.call(sys_fcntl, fd, F_GETFD, 0) for fd in range(3)] == [0, 0, 0]


def test_permissions_are_those_of_the_effective_user(k: Any) -> None:
    k.call(sys_open, "secret", CREATE, 0o600)
    k.call(sys_mkdir, "closed", 0o700)
    user = k.new_task(uid=1000)
    k.current = user
    k.call(sys_chdir, "/tmp")
    fails(e.EACCES, k, sys_open, "secret", 0, 0, filename="secret")
    fails(e.EACCES, k, sys_open, "closed/x", CREATE, 0o644, filename="closed/x")
    fails(e.EACCES, k, sys_open, "/bin/x", CREATE, 0o644, filename="/bin/x")
    fails(e.EACCES, k, sys_mkdir, "/bin/x", 0o755, filename="/bin/x")
    fails(e.EACCES, k, sys_chdir, "closed", filename="closed")
    fails(e.EPERM, k, sys_unlink, "secret", filename="secret")  # /tmp is sticky
    fails(e.EPERM, k, sys_chmod, "secret", 0o777, filename="secret")
    fd = k.call(sys_open, "mine", CREATE, 0o644)
    assert k.call(sys_fstat, fd)[4:6] == (1000, 1000)
    k.call(sys_unlink, "mine")


def test_access_asks_for_the_real_user(k: Any) -> None:
    k.call(sys_open, "f", CREATE, 0o644)
    assert [k.call(sys_access, "f", mode) for mode in (0, 1, 2, 4, 8)] == [
        True,
        False,
        True,
        True,
        False,
    ]
    assert not k.call(sys_access, "none", 0)
    k.current.cred.euid = 1000
    assert k.call(sys_access, "f", 2)
    fails(e.EACCES, k, sys_open, "f", O_RDWR, 0, filename="f")


def test_running_file_cannot_be_written_and_a_written_one_cannot_run(make_mini: Any) -> None:
    k = make_mini(
        files={
            "/bin/true": FileSpec(mode=0o755, image=ImageSpec("true")),
            "/data": FileSpec(content=b"text"),
        }
    )
    inode = path_lookup_exec(k, "/bin/true")
    task = k.new_task(image=inode.image)
    set_mm_exe_file(task.mm, inode, "/bin/true")
    k.current = task
    child = k.fork()
    fails(e.ETXTBSY, k, sys_open, "/bin/true", O_WRONLY, 0, filename="/bin/true")
    k.call(mmput, task.mm)
    fails(e.ETXTBSY, k, sys_open, "/bin/true", O_RDONLY | O_TRUNC, 0, filename="/bin/true")
    k.call(mmput, child.mm)
    fd = k.call(sys_open, "/bin/true", O_WRONLY, 0)
    fails(e.ETXTBSY, k, path_lookup_exec, "/bin/true", filename="/bin/true")
    k.call(sys_close, fd)
    assert path_lookup_exec(k, "/bin/true") is inode
    for errno, path in (
        (e.EACCES, "/data"),
        (e.EACCES, "/bin"),
        (e.ENOTDIR, "/data/x"),
        (e.ENOENT, "/bin/no"),
    ):
        fails(errno, k, path_lookup_exec, path, filename=path)


def test_copying_a_table_is_charged_per_descriptor(k: Any) -> None:
    for _ in range(5):
        k.call(sys_open, "/dev/null", 0, 0)
    now = k.now_ns
    copy = dup_fd(k, k.current.files)
    assert k.now_ns - now == 5 * k.costs.copy_files_per_fd
    assert all(file.count == 1 for file in copy.fd.values())
    assert own_fd(copy) == k.current.files.fd
    assert all(file.count == 2 for file in copy.fd.values())


def test_a_table_that_changes_leaves_its_twin_alone(k: Any) -> None:
    k.call(sys_open, "/dev/null", 0, 0)
    copy = dup_fd(k, k.current.files)
    k.call(sys_close, 0)
    assert list(copy.fd) == [0]
    assert not k.current.files.fd
    assert (copy.fd[0].count, copy.sharers.count) == (1, 1)
