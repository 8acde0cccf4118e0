"""semop, msgsnd, msgrcv and futex_wait under a handler: restarted by its flag, or never."""

import mmap
import os
import signal

from workloads import guest

seen = []
cell = mmap.mmap(-1, 4096)
ready = os.pipe()
sem = guest.semget(guest.IPC_PRIVATE, 1, 0o600)
full = guest.msgget(guest.IPC_PRIVATE, 0o600)
empty = guest.msgget(guest.IPC_PRIVATE, 0o600)
while True:
    try:
        guest.msgsnd(full, 1, bytes(8000), guest.IPC_NOWAIT)
    except BlockingIOError:
        break


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


def block(call):
    if call == "semop":
        guest.semop(sem, [(0, -1, 0)])
    elif call == "msgsnd":
        guest.msgsnd(full, 1, bytes(8000))
    elif call == "msgrcv":
        guest.msgrcv(empty, 10)
    elif call == "futex":
        guest.futex_wait(cell, 0, 0)
    else:
        guest.futex_wait(cell, 0, 0, 50_000_000_000)


def release(call):
    if call == "semop":
        guest.semctl(sem, 0, guest.SETVAL, 1)
    elif call == "msgsnd":
        guest.msgrcv(full, 8000)
    elif call == "msgrcv":
        guest.msgsnd(empty, 1, b"m")
    else:
        guest.futex_wake(cell, 0, 1)


for call in ("semop", "msgsnd", "msgrcv", "futex", "futex with a timeout"):
    for interrupts in (True, False):
        for way in ("handler", "stop"):
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGUSR1, note)
                signal.siginterrupt(signal.SIGUSR1, interrupts)
                os.write(ready[1], b"r")
                try:
                    block(call)
                    print(call, interrupts, way, "went on", seen)
                except OSError as error:
                    print(call, interrupts, way, error.errno, seen)
                os._exit(0)
            os.read(ready[0], 1)
            asleep(pid)
            if way == "handler":
                os.kill(pid, signal.SIGUSR1)
            else:
                os.kill(pid, signal.SIGSTOP)
                os.waitpid(pid, os.WUNTRACED)
                os.kill(pid, signal.SIGCONT)
            # it has ended, or sleeps again
            while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                if state(pid) == "S":
                    release(call)
                    break
                os.sched_yield()
            os.waitpid(pid, 0)
            if call == "semop":
                guest.semctl(sem, 0, guest.SETVAL, 0)
for kind in (full, empty):
    guest.msgctl(kind, guest.IPC_RMID)
guest.semctl(sem, 0, guest.IPC_RMID)
