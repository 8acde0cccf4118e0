"""What a program begins with: nothing of it depends on who started it, and from where."""

import os
import resource
import signal

from workloads import guest


def contents(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 4096)
    os.close(fd)
    return data


def is_open(fd):
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False


def main():
    print("nice", os.getpriority(os.PRIO_PROCESS, 0), "policy", os.sched_getscheduler(0))
    print("umask", os.umask(0o022))
    for which in range(16):
        print("limit", which, resource.getrlimit(which))
    print("blocked", sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
    print("pending", sorted(signal.sigpending()))
    ignored = []
    for number in range(1, 65):
        if signal.getsignal(number) == signal.SIG_IGN:
            ignored.append(number)
    print("ignored", ignored)
    print("oom_score_adj", contents("/proc/self/oom_score_adj"))
    print("no_new_privs", guest.prctl(guest.PR_GET_NO_NEW_PRIVS))
    print("timer slack", guest.prctl(guest.PR_GET_TIMERSLACK))
    print("alarm", signal.getitimer(signal.ITIMER_REAL))
    print("leader", os.getpid() == os.getpgrp() == os.getsid(0))
    print("input", os.read(0, 1))
    descriptors = []
    for fd in range(16):
        if is_open(fd):
            descriptors.append(fd)
    print("descriptors", descriptors)
    print("variables", os.environ.get("PATH"), os.environ.get("HOME"), os.environ.get("LANG"))
    print("user", os.getuid(), os.geteuid(), os.getgid())


if __name__ == "__main__":
    main()
