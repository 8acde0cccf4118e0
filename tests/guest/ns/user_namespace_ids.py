"""In a new user namespace ids read 65534 until they are mapped, and its maker has capabilities."""

import os
import signal

from workloads import guest


def put(path, text):
    try:
        fd = os.open(path, os.O_WRONLY)
    except OSError as error:
        return f"open {error.strerror}"
    try:
        os.write(fd, text)
        return "done"
    except OSError as error:
        return error.strerror
    finally:
        os.close(fd)


def get(path):
    fd = os.open(path, os.O_RDONLY)
    text = os.read(fd, 1000)
    os.close(fd)
    return text


def ids():
    return (os.getuid(), os.geteuid(), os.getgid(), os.getegid())


def child(ready, gate):
    guest.say(f"before: {ids()} {get('/proc/self/uid_map')}")
    try:
        os.setuid(0)
    except OSError as error:
        guest.say(f"setuid(0): {error.strerror}")
    os.write(ready, b"x")
    os.read(gate, 1)
    guest.say(f"mapped: {ids()} {get('/proc/self/uid_map')} {get('/proc/self/gid_map')}")
    guest.say(f"twice: {put('/proc/self/uid_map', b'0 0 1')}")
    guest.unshare(guest.CLONE_NEWUTS)
    guest.say("privileged inside")
    os.setuid(5)
    guest.say(f"another id: {os.getresuid()}")
    try:
        guest.unshare(guest.CLONE_NEWUTS)
    except OSError as error:
        guest.say(f"no longer: {error.strerror}")
    try:
        os.setuid(200)
    except OSError as error:
        guest.say(f"not mapped: {error.strerror}")
    os._exit(0)


def main():
    guest.say(f"own map {get('/proc/self/uid_map')}")
    told, ready = os.pipe()
    gate, open_gate = os.pipe()
    pid = guest.clone(guest.CLONE_NEWUSER | signal.SIGCHLD)
    if pid == 0:
        child(ready, gate)
    os.read(told, 1)
    guest.say(f"empty: {put(f'/proc/{pid}/uid_map', b'0 0')}")
    guest.say(f"overlap: {put(f'/proc/{pid}/uid_map', b'0 0 5' + bytes([10]) + b'3 100 5')}")
    guest.say(f"uid_map: {put(f'/proc/{pid}/uid_map', b'0 0 1' + bytes([10]) + b'1 100 99')}")
    guest.say(f"gid_map: {put(f'/proc/{pid}/gid_map', b'0 0 100')}")
    os.write(open_gate, b"x")
    guest.say(f"{os.waitpid(pid, 0)[1]}")
    guest.say(f"outside {ids()}")


main()
