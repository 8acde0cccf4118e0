"""A handler, a stop and a continue: which blocking calls end with EINTR, and which go on."""

import os
import select
import signal
import time

from workloads import guest

seen = []
ready = os.pipe()
base = f"/tmp/fifo-{time.time_ns()}"
os.mkfifo(base)


def note(number, frame):
    seen.append(int(number))


def state(pid):
    fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    text = os.read(fd, 1000).decode()
    os.close(fd)
    return text[text.rindex(")") + 2]


def asleep(pid):
    """Wait until the process sleeps."""
    while state(pid) != "S":
        os.sched_yield()


def block(call):
    if call == "sleep":
        time.sleep(0.4)
    elif call == "pause":
        signal.pause()
    elif call == "poll":
        poller = select.poll()
        poller.register(ready[0], select.POLLPRI)
        return poller.poll(400)
    elif call == "select":
        return select.select([], [], [ready[0]], 0.4)
    elif call == "semop":
        guest.semop(guest.semget(guest.IPC_PRIVATE, 1, 0o600), [(0, -1, 0)])
    elif call == "msgrcv":
        guest.msgrcv(guest.msgget(guest.IPC_PRIVATE, 0o600), 10)
    elif call == "sigtimedwait":
        return signal.sigtimedwait([signal.SIGUSR2], 0.4)
    elif call == "open":
        os.open(base, os.O_RDONLY)
    return None


def victim(call):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGUSR1, note)
        signal.alarm(5)
        os.write(ready[1], b"r")
        try:
            print(call, "returns", block(call), seen)
        except OSError as error:
            print(call, error, seen)
        os._exit(0)
    os.read(ready[0], 1)
    asleep(pid)
    return pid


CALLS = ("sleep", "poll", "select", "sigtimedwait", "semop", "msgrcv", "pause", "open")
for call in CALLS:
    pid = victim(call)
    os.kill(pid, signal.SIGUSR1)
    if call == "open":
        time.sleep(0.05)
        asleep(pid)
        os.close(os.open(base, os.O_WRONLY))
    print(os.waitpid(pid, 0)[1])
for call in CALLS:
    pid = victim(call)
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    os.kill(pid, signal.SIGCONT)
    if call == "semop":
        pass  # no handler has run, and yet it ends
    elif call == "open":
        asleep(pid)
        os.close(os.open(base, os.O_WRONLY))
    elif call == "pause":
        asleep(pid)
        os.kill(pid, signal.SIGUSR1)
    print(os.waitpid(pid, 0)[1])
os.unlink(base)
