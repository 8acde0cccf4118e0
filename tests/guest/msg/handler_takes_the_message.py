"""A handler may use the queue that the interrupted call waits on; the call still fails."""

import os
import signal
import time

from workloads import guest


def handler(signum, frame):
    taken.append(guest.msgrcv(q, 10, 5))


taken = []
q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGUSR1, handler)
    os.write(w, b"x")
    try:
        guest.msgrcv(q, 10, 9)
        os._exit(1)
    except InterruptedError:
        print("interrupted", taken)
    try:
        print("again", guest.msgrcv(q, 10, 9))
    except InterruptedError:
        print("twice")
    os._exit(0)
os.read(r, 1)
guest.msgsnd(q, 5, b"five")
time.sleep(0.02)
os.kill(pid, signal.SIGUSR1)
time.sleep(0.02)
guest.msgsnd(q, 9, b"nine")
print(os.waitpid(pid, 0)[1], guest.msgctl(q, guest.IPC_STAT), guest.msgctl(q, guest.IPC_RMID))
