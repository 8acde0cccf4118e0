"""A child has its parent's ids, group, session, nice value, umask, directory and descriptors."""

import os


def surroundings():
    mask = os.umask(0)
    os.umask(mask)
    ids = (os.getuid(), os.geteuid(), os.getgid(), os.getegid(), os.getresuid())
    place = (os.getcwd(), mask, os.getpriority(os.PRIO_PROCESS, 0))
    return repr((ids, place, os.getpgrp(), os.getsid(0), os.fstat(50).st_ino))


os.dup2(os.open(__file__, os.O_RDONLY), 50)
for change in range(3):
    pid = os.fork()
    if pid == 0:
        if change == 1:
            os.setsid()
            os.chdir("/tmp")
            os.umask(0o27)
            os.nice(3)
        elif change == 2:
            os.setpgid(0, 0)
            os.setgid(12)
            os.setresuid(34, 56, 78)
        read_end, write_end = os.pipe()
        mine = surroundings()
        inner = os.fork()
        if inner == 0:
            os.write(write_end, surroundings().encode())
            os._exit(0)
        print(change, os.read(read_end, 1000).decode() == mine)
        os._exit(0)
    print(os.waitpid(pid, 0)[1])
