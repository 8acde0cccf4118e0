"""A handler ends msgrcv() and msgsnd() with EINTR; SIGSTOP and SIGCONT alone do not."""

import os
import signal
import time

from workloads import guest


def handler(signum, frame):
    pass


def blocked(call):
    try:
        if call == "receive":
            guest.msgrcv(q, 10)
        else:
            guest.msgsnd(q, 1, b"1")
        os._exit(1)
    except InterruptedError as error:
        os._exit(40 + error.errno)


def signalled(pid, signum):
    """Send until it has an effect: the call may not have begun."""
    while True:
        os.kill(pid, signum)
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)


q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
for call in ("receive", "send"):
    for restart in (False, True):
        ready, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGUSR1, handler)
            signal.siginterrupt(signal.SIGUSR1, not restart)
            os.write(tell, b"x")
            blocked(call)
        os.read(ready, 1)
        print(call, restart, signalled(pid, signal.SIGUSR1))
    if call == "receive":
        guest.msgsnd(q, 2, bytes(8192))
        guest.msgsnd(q, 2, bytes(8192))
guest.msgrcv(q, 8192)
guest.msgrcv(q, 8192)
pid = os.fork()
if pid == 0:
    try:
        os._exit(guest.msgrcv(q, 10)[0])
    except InterruptedError:
        os._exit(99)
for _ in range(5):
    time.sleep(0.002)
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    os.kill(pid, signal.SIGCONT)
guest.msgsnd(q, 8, b"")
print("continued", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
guest.msgctl(q, guest.IPC_RMID)
