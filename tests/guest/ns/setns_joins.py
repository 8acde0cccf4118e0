"""setns joins a namespace by a file of /proc/PID/ns; for a pid namespace its children do."""

import os
import signal

from workloads import guest


def number(name):
    return os.stat("/proc/self/ns/" + name).st_ino


def attempt(name, fd, kind):
    try:
        guest.setns(fd, kind)
        guest.say(f"{name}: joined")
    except OSError as error:
        guest.say(f"{name}: {error.strerror}")


def main():
    told, ready = os.pipe()
    gate, open_gate = os.pipe()
    flags = guest.CLONE_NEWUTS | guest.CLONE_NEWPID | guest.CLONE_NEWIPC
    pid = guest.clone(flags | signal.SIGCHLD)
    if pid == 0:
        os.write(ready, b"x")
        os.read(gate, 1)
        os._exit(0)
    os.read(told, 1)
    before = number("uts")
    uts = os.open(f"/proc/{pid}/ns/uts", os.O_RDONLY)
    attempt("wrong kind", uts, guest.CLONE_NEWIPC)
    attempt("uts", uts, guest.CLONE_NEWUTS)
    guest.say(f"the child's: {number('uts') == os.fstat(uts).st_ino} {number('uts') != before}")
    attempt("a pipe", gate, 0)
    attempt("closed", 99, 0)
    mine = number("pid")
    pid_ns = os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY)
    attempt("pid", pid_ns, 0)
    guest.say(f"not moved {number('pid') == mine}")
    member = os.fork()
    if member == 0:
        guest.say(f"in the namespace: {os.getpid()} parent {os.getppid()}")
        attempt("outwards", os.open("/proc/1/ns/pid", os.O_RDONLY), 0)
        os._exit(0)
    os.waitpid(member, 0)
    os.write(open_gate, b"x")
    os.waitpid(pid, 0)
    try:
        os.fork()
    except OSError as error:
        guest.say(f"its init is dead: {error.strerror}")
    try:
        os.stat(f"/proc/{pid}/ns/uts")
    except FileNotFoundError:
        guest.say("reaped: no such file")
    user = os.open("/proc/self/ns/user", os.O_RDONLY)
    attempt("own user namespace", user, 0)


main()
