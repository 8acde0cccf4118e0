"""A waiter that is killed leaves the queue, and the next one is served in its place."""

import os
import signal

from workloads import guest


def waiters():
    return guest.semctl(sem, 0, guest.GETNCNT)


sem = guest.semget(guest.IPC_PRIVATE, 1, guest.IPC_CREAT | 0o600)
children = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        guest.semop(sem, [(0, -1, 0)])
        os._exit(10 + number)
    children.append(pid)
    while waiters() < number + 1:
        os.sched_yield()
os.kill(children[0], signal.SIGKILL)
print(os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]), waiters())
guest.semop(sem, [(0, 1, 0)])
print(os.waitstatus_to_exitcode(os.waitpid(children[1], 0)[1]), waiters())
print(os.waitpid(children[2], os.WNOHANG))
guest.semop(sem, [(0, 1, 0)])
print(os.waitstatus_to_exitcode(os.waitpid(children[2], 0)[1]), waiters())
guest.semctl(sem, 0, guest.IPC_RMID)
