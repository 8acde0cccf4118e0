"""/proc/PID/autogroup: a session has a group, its processes share it, and it can be reniced."""

import os
import time


def shown(pid="self"):
    """Return the session's number and the nice value of its group."""
    with open(f"/proc/{pid}/autogroup") as file:
        name, _, nice = file.read().split()
    return int(name.removeprefix("/autogroup-")), int(nice)


def write(text, fd=-1):
    own = fd if fd >= 0 else os.open("/proc/self/autogroup", os.O_WRONLY)
    try:
        return os.write(own, text)
    except OSError as error:
        return error.errno
    finally:
        if fd < 0:
            os.close(own)


def in_child(what):
    """Return what the child of this process says."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, repr(what()).encode())
        os._exit(0)
    os.close(writer)
    text = os.read(reader, 1000).decode()
    os.close(reader)
    os.waitpid(pid, 0)
    return text


def session():
    """A new session is a new group, whose nice value may be set by number."""
    before = shown()[0]
    os.setsid()
    mine = shown()
    answers = [write(text) for text in (b"5\n", b" 0x7", b"-3", b"20", b"-21", b"", b"five")]
    return (
        mine[0] > before,
        mine[1],
        answers,
        shown()[1],
        shown(os.getppid())[0] == before,
        in_child(shown) == str(shown()),
        write(b"0"),
    )


def unprivileged():
    """Without privilege a nice value goes up only, and not again at once."""
    os.setsid()
    fd = os.open("/proc/self/autogroup", os.O_WRONLY)
    os.setuid(65534)
    answers = [write(text, fd) for text in (b"-1", b"40", b"4", b"6")]
    time.sleep(0.15)
    return answers, write(b"3", fd), shown()[1]


with open("/proc/sys/kernel/sched_autogroup_enabled") as file:
    print(file.read().strip())
print(in_child(shown) == str(shown()))
print(in_child(session))
print(in_child(unprivileged))
print("autogroup" in os.listdir("/proc/self"))
