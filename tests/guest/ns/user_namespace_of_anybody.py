"""Anybody may make a user namespace, map his own id there, and make other namespaces inside it."""

import os

from workloads import guest


def put(path, text):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text)
        return "done"
    except OSError as error:
        return error.strerror
    finally:
        os.close(fd)


def main():
    os.setgid(1000)
    os.setuid(1000)
    guest.prctl(guest.PR_SET_DUMPABLE, 1)  # else its files in /proc are root's
    guest.unshare(guest.CLONE_NEWUSER)
    guest.say(f"{os.getuid()} {os.getgid()}")
    guest.say(f"somebody else's id: {put('/proc/self/uid_map', b'0 0 1')}")
    guest.say(f"two ids: {put('/proc/self/uid_map', b'0 1000 2')}")
    guest.say(f"own id: {put('/proc/self/uid_map', b'0 1000 1')}")
    guest.say(f"group before setgroups: {put('/proc/self/gid_map', b'0 1000 1')}")
    guest.say(f"setgroups: {put('/proc/self/setgroups', b'deny')}")
    guest.say(f"group: {put('/proc/self/gid_map', b'0 1000 1')}")
    guest.say(f"{os.getuid()} {os.getgid()} {os.getresuid()}")
    guest.unshare(guest.CLONE_NEWUTS | guest.CLONE_NEWPID)
    pid = os.fork()
    if pid == 0:
        guest.say(f"pid {os.getpid()} uid {os.getuid()}")
        os._exit(0)
    os.waitpid(pid, 0)
    try:
        os.kill(1, 0)
    except OSError as error:
        guest.say(f"kill outside: {error.strerror}")
    try:
        guest.unshare(guest.CLONE_NEWUSER)
        guest.say("one more")
    except OSError as error:
        guest.say(f"one more: {error.strerror}")


main()
