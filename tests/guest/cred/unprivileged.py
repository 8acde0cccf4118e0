"""What changes of identity are allowed, and what an unprivileged process may not do."""

import os
import time

base = f"/tmp/s{time.time_ns()}"
fd = os.open(base, os.O_WRONLY | os.O_CREAT, 0o600)
os.close(fd)


def attempt(name, error):
    print(name, "ok" if error is None else error.errno)


pid = os.fork()
if pid == 0:
    os.setresuid(1000, 1001, 1002)
    print(os.getresuid())
    for uid in (1003, 1000, 1001, 1002, 1001, -1):
        try:
            os.setuid(uid)
            print(uid, os.getresuid())
        except OSError as error:
            print(uid, error.errno)
    try:
        os.open(base, os.O_RDONLY)
    except OSError as error:
        print("open", error.errno)
    for target, sig in ((os.getppid(), 0), (1, 0), (os.getpid(), 0), (1, 18), (os.getppid(), 18)):
        try:
            os.kill(target, sig)
            print("sent")
        except OSError as error:
            print("kill", error.errno)
    for nice in (5, 3):
        try:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
            print(nice, "ok")
        except OSError as error:
            print(nice, error.errno)
    try:
        os.nice(-1)
    except OSError as error:
        print("nice", error.errno)
    try:
        os.setpriority(os.PRIO_PROCESS, os.getppid(), 7)
    except OSError as error:
        print("other", error.errno)
    for ids in ((1000, -1, -1), (-1, 1002, -1), (-1, -1, 1004), (1001, 1001, 1001)):
        try:
            os.setresuid(ids[0], ids[1], ids[2])
            print(os.getresuid())
        except OSError as error:
            print(ids, error.errno)
    print(os.access(base, os.R_OK), os.access("/tmp", os.W_OK), os.access("/", os.W_OK))
    try:
        os.chmod(base, 0o777)
    except OSError as error:
        print("chmod", error.errno)
    try:
        os.unlink(base)
    except OSError as error:
        print("unlink", error.errno)
    os._exit(0)
os.waitpid(pid, 0)
pid = os.fork()
if pid == 0:
    os.setgid(77)
    os.seteuid(55)
    fd = os.open(base + "x", os.O_WRONLY | os.O_CREAT, 0o666)
    found = os.fstat(fd)
    print(found.st_uid, found.st_gid, hex(found.st_mode), found.st_nlink)
    print(os.getuid(), os.geteuid(), os.getgid(), os.getegid())
    os.unlink(base + "x")
    print(os.fstat(fd).st_nlink)
    os.seteuid(0)
    os._exit(0)
os.waitpid(pid, 0)
os.unlink(base)
