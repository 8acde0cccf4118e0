"""/proc/self/ns tells namespaces apart: a fork shares all, each CLONE_NEW flag makes one new."""

import os
import signal

from workloads import guest

KINDS = ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "user", "uts"]
FLAGS = [
    ("none", 0),
    ("NEWUTS", guest.CLONE_NEWUTS),
    ("NEWIPC", guest.CLONE_NEWIPC),
    ("NEWNS", guest.CLONE_NEWNS),
    ("NEWNET", guest.CLONE_NEWNET),
    ("NEWCGROUP", guest.CLONE_NEWCGROUP),
    ("NEWPID", guest.CLONE_NEWPID),
    ("NEWUSER", guest.CLONE_NEWUSER),
    ("NEWUTS and NEWIPC", guest.CLONE_NEWUTS | guest.CLONE_NEWIPC),
]


def numbers():
    found = {}
    for kind in KINDS:
        found[kind] = os.stat("/proc/self/ns/" + kind).st_ino
    return found


def main():
    mine = numbers()
    guest.say(f"all different: {len(set(mine.values()))}")
    for name, flags in FLAGS:
        pid = guest.clone(flags | signal.SIGCHLD)
        if pid == 0:
            own = numbers()
            changed = [kind for kind in KINDS if own[kind] != mine[kind]]
            guest.say(f"{name}: {changed}")
            os._exit(0)
        os.waitpid(pid, 0)


main()
