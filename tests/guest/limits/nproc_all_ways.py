"""Every way of making a task is bound by RLIMIT_NPROC: fork, vfork, clone, threads."""

import os
import resource
import threading

from workloads.guest import CLONE_PARENT, clone, vfork


def idle():
    lock.acquire()
    lock.release()


def attempt(name):
    try:
        if name == "fork":
            pid = os.fork()
        elif name == "vfork":
            pid = vfork()
        elif name == "clone":
            pid = clone(17)
        elif name == "clone without a signal":
            pid = clone(0)
        elif name == "sibling":
            pid = clone(CLONE_PARENT)
        elif name == "spawn":
            pid = os.posix_spawn("/bin/true", ["true"], {})
        else:
            pid = os.posix_spawn("/no/such", ["true"], {})
    except OSError as error:
        print(name, error.errno)
        return
    if pid == 0:
        os._exit(0)
    print(name, "ok")
    if name == "clone without a signal":
        os.waitpid(pid, 0x40000000)
    elif name != "sibling":
        os.waitpid(pid, 0)


WAYS = ("fork", "vfork", "clone", "clone without a signal", "sibling", "spawn", "bad spawn")
# one that would live on; those of which the host's run notes children that never were
SUITS = {"sibling": 1, "spawn": 2, "bad spawn": 2}
lock = threading.Lock()
lock.acquire()
pid = os.fork()
if pid == 0:
    os.setresuid(61200, 61200, 61200)
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    for limit in (1, 2):
        resource.setrlimit(resource.RLIMIT_NPROC, (limit, hard))
        print("limit", limit)
        for way in WAYS:
            if way in ("fork", "vfork", "clone", "clone without a signal") or limit == SUITS[way]:
                attempt(way)
    thread = threading.Thread(target=idle)
    thread.start()
    print("a thread more")
    attempt("fork")
    try:
        threading.Thread(target=idle).start()
    except RuntimeError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_NPROC, (3, hard))
    attempt("fork")
    resource.setrlimit(resource.RLIMIT_NPROC, (0, hard))
    attempt("fork")
    lock.release()
    thread.join()
    os.execv("/bin/true", ["true"])
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
