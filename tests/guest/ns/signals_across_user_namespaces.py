"""Root of a user namespace may signal whoever is in it or below, and outside only its own uid."""

import os
import signal

from workloads import guest


def put(path, text):
    fd = os.open(path, os.O_WRONLY)
    os.write(fd, text)
    os.close(fd)


def attempt(name, pid):
    try:
        os.kill(pid, 0)
        guest.say(f"{name}: allowed")
    except OSError as error:
        guest.say(f"{name}: {error.strerror}")


def sleeper(uid, ready):
    pid = os.fork()
    if pid == 0:
        os.setuid(uid)
        os.write(ready, b"x")
        while True:
            signal.pause()
    return pid


def main():
    told, ready = os.pipe()
    other = sleeper(2000, ready)
    same = sleeper(1000, ready)
    os.read(told, 1)
    os.read(told, 1)
    gate, open_gate = os.pipe()
    pid = guest.clone(guest.CLONE_NEWUSER | signal.SIGCHLD)
    if pid == 0:
        os.read(gate, 1)
        os.setuid(0)
        inner = sleeper(5, ready)
        os.read(told, 1)
        guest.say(f"{os.getuid()}")
        attempt("another uid outside", other)
        attempt("the same uid outside", same)
        attempt("another uid inside", inner)
        attempt("init of the machine", 1)
        os.kill(inner, signal.SIGKILL)
        os.wait()
        os._exit(0)
    put(f"/proc/{pid}/uid_map", b"0 1000 10")
    os.write(open_gate, b"x")
    os.waitpid(pid, 0)
    for child in (other, same):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


main()
