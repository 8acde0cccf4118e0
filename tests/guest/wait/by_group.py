"""waitpid(0) and waitpid(-group) see the children of one process group only."""

import os


def reap(which, count):
    codes = []
    for _ in range(count):
        codes.append(os.waitpid(which, 0)[1] >> 8)
    return sorted(codes)


def parent():
    os.setpgid(0, 0)
    read_end, write_end = os.pipe()
    leader = 0
    for code in range(6):
        pid = os.fork()
        if pid == 0:
            os.close(write_end)
            os.read(read_end, 1)
            os._exit(code)
        if code % 2:
            os.setpgid(pid, leader)
            leader = leader or pid
    print("nobody yet", os.waitpid(0, os.WNOHANG), os.waitpid(-leader, os.WNOHANG))
    os.close(write_end)
    print("own group", reap(0, 3))
    try:
        os.waitpid(0, 0)
    except ChildProcessError as error:
        print("own group: errno", error.errno)
    print("other group", reap(-leader, 3))
    try:
        os.waitpid(-leader, 0)
    except ChildProcessError as error:
        print("other group: errno", error.errno)


if os.fork() == 0:
    parent()
    os._exit(0)
print("status", os.wait()[1])
