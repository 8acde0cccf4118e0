"""exec leaves shared memory segments and maps; the semaphore undos stay until the exit."""

import os
import sys

from workloads import guest


def attached(id):
    return guest.shmctl(id, guest.IPC_STAT)["nattch"]


if len(sys.argv) > 1:
    segment, sem = int(sys.argv[1]), int(sys.argv[2])
    print("after exec", attached(segment), guest.semctl(sem, 0, guest.GETVAL))
    sys.exit(0)
segment = guest.shmget(guest.IPC_PRIVATE, 4096, 0o600)
sem = guest.semget(guest.IPC_PRIVATE, 1, 0o600)
memory = guest.shmat(segment)
pid = os.fork()
if pid == 0:
    other = guest.shmat(segment)
    guest.semop(sem, [(0, 3, guest.SEM_UNDO)])
    print("before", attached(segment), guest.semctl(sem, 0, guest.GETVAL))
    os.execv(sys.executable, [sys.executable, "-u", __file__, str(segment), str(sem)])
print(os.waitpid(pid, 0)[1], attached(segment), guest.semctl(sem, 0, guest.GETVAL))
guest.shmdt(memory)
print(attached(segment))
guest.shmctl(segment, guest.IPC_RMID)
guest.semctl(sem, 0, guest.IPC_RMID)
