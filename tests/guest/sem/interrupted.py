"""A handler that runs ends semop() with EINTR, whatever SA_RESTART says; it is not tried again."""

import os
import signal
import time

from workloads import guest


def handler(signum, frame):
    pass


def wait_and_report(restart):
    signal.signal(signal.SIGUSR1, handler)
    signal.siginterrupt(signal.SIGUSR1, not restart)
    try:
        guest.semop(sem, [(0, -1, 0)])
        os._exit(1)
    except InterruptedError as error:
        os._exit(40 + error.errno)


sem = guest.semget(guest.IPC_PRIVATE, 1, guest.IPC_CREAT | 0o600)
for restart in (False, True):
    pid = os.fork()
    if pid == 0:
        wait_and_report(restart)
    while guest.semctl(sem, 0, guest.GETNCNT) == 0:
        os.sched_yield()
    os.kill(pid, signal.SIGUSR1)
    print(restart, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    print("still waiting:", guest.semctl(sem, 0, guest.GETNCNT))

# stopped and continued without a handler: semop() fails all the same
pid = os.fork()
if pid == 0:
    try:
        guest.semop(sem, [(0, -1, 0)])
        os._exit(1)
    except InterruptedError as error:
        os._exit(40 + error.errno)
while guest.semctl(sem, 0, guest.GETNCNT) == 0:
    os.sched_yield()
os.kill(pid, signal.SIGSTOP)
os.waitpid(pid, os.WUNTRACED)
os.kill(pid, signal.SIGCONT)
print("continued", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

# an ignored signal does nothing
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    guest.semop(sem, [(0, 1, 0)])
    guest.semop(sem, [(0, -2, 0)])
    os._exit(3)
while guest.semctl(sem, 0, guest.GETNCNT) == 0:
    os.sched_yield()
os.kill(pid, signal.SIGUSR1)
time.sleep(0.001)
guest.semop(sem, [(0, 1, 0)])
print("ignored", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
guest.semctl(sem, 0, guest.IPC_RMID)
