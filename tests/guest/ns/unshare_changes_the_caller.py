"""unshare makes the caller's own namespaces new, but for pid and time, which are for children."""

import os

from workloads import guest

KINDS = ["cgroup", "ipc", "mnt", "net", "pid", "time", "time_for_children", "user", "uts"]


def numbers():
    found = {}
    for kind in KINDS:
        found[kind] = os.stat("/proc/self/ns/" + kind).st_ino
    return found


def changes(before):
    now = numbers()
    return [kind for kind in KINDS if now[kind] != before[kind]]


def child(before, flags):
    guest.unshare(flags)
    guest.say(f"{flags:#x}: {changes(before)}")
    own = numbers()
    try:
        os.stat("/proc/self/ns/pid_for_children")
    except FileNotFoundError:
        guest.say("  nobody has been born there")
    pid = os.fork()
    if pid == 0:
        guest.say(f"  its child: {changes(own)}")
        os._exit(0)
    os.waitpid(pid, 0)
    os._exit(0)


def main():
    before = numbers()
    for flags in (
        guest.CLONE_NEWUTS,
        guest.CLONE_NEWIPC | guest.CLONE_NEWNET,
        guest.CLONE_NEWTIME,
        guest.CLONE_NEWPID,
        guest.CLONE_NEWUSER,
        guest.CLONE_FS | guest.CLONE_FILES | guest.CLONE_SYSVSEM,
        0,
    ):
        pid = os.fork()
        if pid == 0:
            child(before, flags)
        os.waitpid(pid, 0)
    guest.say(f"{changes(before)}")


main()
