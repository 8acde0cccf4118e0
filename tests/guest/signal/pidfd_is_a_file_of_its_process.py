"""pidfds of one process are one file, of a file system of their own; what can be done with it."""

import fcntl
import os
import signal


def tell(what, error):
    print(what, error.errno)


def main():
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(3)
    first = os.pidfd_open(pid)
    second = os.pidfd_open(pid)
    own = os.pidfd_open(os.getpid())
    status = os.fstat(first)
    print(oct(status.st_mode), status.st_nlink, status.st_size, status.st_uid)
    print("one file", status.st_ino == os.fstat(second).st_ino)
    print("another's", status.st_ino == os.fstat(own).st_ino)
    print("one file system", status.st_dev == os.fstat(own).st_dev)
    print("that of files", status.st_dev == os.stat("/").st_dev)
    print(os.readlink(f"/proc/self/fd/{first}"))
    print("by path", os.stat(f"/proc/self/fd/{first}").st_ino == status.st_ino)
    print("flags", fcntl.fcntl(first, fcntl.F_GETFL))
    for length in (0, 10, -1):
        try:
            os.ftruncate(first, length)
        except OSError as error:
            tell("ftruncate", error)
    try:
        os.chmod(f"/proc/self/fd/{first}", 0o600)
    except OSError as error:
        tell("chmod", error)
    try:
        os.read(first, 1)
    except OSError as error:
        tell("read", error)
    try:
        os.write(first, b"x")
    except OSError as error:
        tell("write", error)
    try:
        os.lseek(first, 0, 0)
    except OSError as error:
        tell("lseek", error)
    for flags in (1, os.O_NONBLOCK, os.O_EXCL, os.O_EXCL | os.O_NONBLOCK, os.O_CLOEXEC):
        try:
            print("open", fcntl.fcntl(os.pidfd_open(pid, flags), fcntl.F_GETFL))
        except OSError as error:
            tell("open", error)
    for flags in (0, 1, 2, 3, 4, 5, 6, 7, 8):
        try:
            print("signal", flags, signal.pidfd_send_signal(first, 0, None, flags))
        except OSError as error:
            tell("signal", error)
    fcntl.fcntl(second, fcntl.F_SETFL, os.O_NONBLOCK)
    try:
        print(os.waitid(os.P_PIDFD, second, os.WEXITED))
    except OSError as error:
        tell("waitid", error)
    print(os.waitid(os.P_PIDFD, second, os.WEXITED | os.WNOHANG))
    os.write(writer, b"x")
    print(os.waitid(os.P_PIDFD, first, os.WEXITED).si_status)
    print("still", os.fstat(first).st_ino == status.st_ino)
    os.close(first)
    os.close(second)


if __name__ == "__main__":
    main()
