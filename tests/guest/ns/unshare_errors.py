"""unshare: unknown flags are EINVAL, and so are THREAD, SIGHAND, VM, NEWUSER with more threads."""

import os
import threading

from workloads import guest

FLAGS = [
    ("nothing", 0),
    ("FS", guest.CLONE_FS),
    ("FILES", guest.CLONE_FILES),
    ("SYSVSEM", guest.CLONE_SYSVSEM),
    ("THREAD", guest.CLONE_THREAD),
    ("SIGHAND", guest.CLONE_SIGHAND),
    ("VM", guest.CLONE_VM),
    ("VFORK", guest.CLONE_VFORK),
    ("PARENT", guest.CLONE_PARENT),
    ("IO", guest.CLONE_IO),
    ("SETTLS", guest.CLONE_SETTLS),
    ("an exit signal", 17),
    ("NEWUTS", guest.CLONE_NEWUTS),
    ("NEWPID", guest.CLONE_NEWPID),
    ("NEWUSER", guest.CLONE_NEWUSER),
]
gate = threading.Lock()


def attempt(name, flags):
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    try:
        guest.unshare(flags)
        guest.say(f"{name}: done")
    except OSError as error:
        guest.say(f"{name}: {error.strerror}")
    os._exit(0)


def attempt_with_thread(name, flags):
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    thread = threading.Thread(target=wait_at_gate)
    thread.start()
    try:
        guest.unshare(flags)
        guest.say(f"with a thread, {name}: done")
    except OSError as error:
        guest.say(f"with a thread, {name}: {error.strerror}")
    os._exit(0)


def wait_at_gate():
    gate.acquire()


def main():
    gate.acquire()
    for name, flags in FLAGS:
        attempt(name, flags)
    for name, flags in FLAGS:
        attempt_with_thread(name, flags)


main()
