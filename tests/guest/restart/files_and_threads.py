"""Reads, writes, sockets, eventfds, waits, locks and joins go on after handler and stop."""

import os
import signal
import socket
import threading
import time

seen = []
ready, go = os.pipe(), os.pipe()


def note(number, frame):
    seen.append(int(number))


def state(pid):
    fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    text = os.read(fd, 1000).decode()
    os.close(fd)
    return text[text.rindex(")") + 2]


def asleep(pid):
    while state(pid) != "S":
        os.sched_yield()


def let_go(action, thing):
    """Wait for a byte, then do what ends the call."""
    os.read(go[0], 1)
    if action == "write":
        os.write(thing, b"w")
    elif action == "read":
        os.read(thing, 65536)
    elif action == "send":
        thing.send(b"s")
    elif action == "count":
        os.eventfd_write(thing, 3)
    elif action == "release":
        thing.release()


def block(call):
    if call == "read":
        pipe = os.pipe()
        threading.Thread(target=let_go, args=("write", pipe[1])).start()
        return os.read(pipe[0], 10)
    if call == "write":
        pipe = os.pipe()
        os.write(pipe[1], bytes(65536))
        threading.Thread(target=let_go, args=("read", pipe[0])).start()
        return os.write(pipe[1], b"more")
    if call == "recv":
        left, right = socket.socketpair()
        threading.Thread(target=let_go, args=("send", left)).start()
        return right.recv(10)
    if call == "eventfd":
        fd = os.eventfd(0)
        threading.Thread(target=let_go, args=("count", fd)).start()
        return os.eventfd_read(fd)
    if call == "wait":
        pid = os.fork()
        if pid == 0:
            os.read(go[0], 1)
            os._exit(5)
        return os.waitpid(pid, 0)[1]
    if call == "lock":
        lock = threading.Lock()
        lock.acquire()
        threading.Thread(target=let_go, args=("release", lock)).start()
        return lock.acquire()
    thread = threading.Thread(target=let_go, args=("", None))
    thread.start()
    return thread.join()


for call in ("read", "write", "recv", "eventfd", "wait", "lock", "join"):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGUSR1, note)
        os.write(ready[1], b"r")
        result = block(call)
        print(call, result, seen)
        os._exit(0)
    os.read(ready[0], 1)
    time.sleep(0.03)
    asleep(pid)
    os.kill(pid, signal.SIGUSR1)
    time.sleep(0.03)
    asleep(pid)
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    os.kill(pid, signal.SIGCONT)
    asleep(pid)
    os.write(go[1], b"x")
    print(os.waitpid(pid, 0)[1])
