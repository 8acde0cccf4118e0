"""What exec keeps and what it resets: ids, group, nice, mask of files, directory, descriptors."""

import os
import sys

if len(sys.argv) > 1:
    print(len(sys.argv), os.getpid() == int(sys.argv[2]), os.getppid() == int(sys.argv[3]))
    print(
        os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid(), os.getpriority(os.PRIO_PROCESS, 0)
    )
    print(os.getcwd(), hex(os.umask(0)), os.environ.get("WORD", "none"), os.getuid())
    for fd in (40, 41, 42):
        try:
            print(fd, os.lseek(fd, 0, os.SEEK_CUR))
        except OSError as error:
            print(fd, error.errno)
    try:
        print(os.waitpid(-1, 0)[1] >> 8)
        os.wait()
    except ChildProcessError as error:
        print(error)
    os._exit(9)
parent = os.getpid()
pid = os.fork()
if pid == 0:
    os.setsid()
    if os.fork() == 0:
        os._exit(77)
    os.nice(4)
    os.umask(0o123)
    fd = os.open(__file__, os.O_RDONLY)
    os.lseek(fd, 7, 0)
    os.dup2(fd, 40)
    os.dup2(fd, 41, False)
    os.chdir("/tmp")

    os.execve(
        sys.executable,
        [sys.executable, "-u", __file__, "x", str(os.getpid()), str(parent)],
        {"WORD": "w", "PYTHONPATH": ""},
    )
print(os.waitpid(pid, 0)[1])
