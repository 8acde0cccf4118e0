"""SIGINT in a sleep, a read, a wait, a finally: KeyboardInterrupt, and death by SIGINT."""

import os
import signal
import sys
import time


def sleeps():
    time.sleep(100)


def reads():
    os.read(os.pipe()[0], 1)


def waits():
    if os.fork() == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        time.sleep(0.3)
        os._exit(0)
    os.wait()


def catches():
    try:
        signal.pause()
    except KeyboardInterrupt:
        sys.exit(7)


def cleans_up():
    try:
        signal.pause()
    finally:
        print("cleaned up")


def replaces():
    try:
        signal.pause()
    finally:
        raise ValueError("instead")


def is_caught_too_late():
    try:
        signal.pause()
    except Exception:
        os._exit(8)


def ignores():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.kill(os.getpid(), signal.SIGINT)
    sys.exit(9)


def by_default():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    sys.exit(10)


def itself():
    raise KeyboardInterrupt("by hand")


def state(pid):
    fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    text = os.read(fd, 1000).decode()
    os.close(fd)
    return text[text.rindex(")") + 2]


SENT = (sleeps, reads, waits, catches, cleans_up, replaces, is_caught_too_late)
for function in SENT + (ignores, by_default, itself):
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
        function()
        os._exit(99)
    if function in SENT:
        while state(pid) != "S":
            os.sched_yield()
        os.kill(pid, signal.SIGINT)
    print(os.waitpid(pid, 0)[1])
