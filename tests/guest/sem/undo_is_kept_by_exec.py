"""The undo list of a process lives on over exec."""

import os
import sys

from workloads.guest import GETVAL, IPC_CREAT, IPC_RMID, SEM_UNDO, semctl, semget, semop

KEY = 0x5E7EC

if len(sys.argv) > 1:
    sem = semget(KEY, 1, 0)
    print("after exec", semctl(sem, 0, GETVAL))
    sys.exit(0)
sem = semget(KEY, 1, IPC_CREAT | 0o600)
pid = os.fork()
if pid == 0:
    semop(sem, [(0, 4, SEM_UNDO)])
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
os.waitpid(pid, 0)
print("at the end", semctl(sem, 0, GETVAL))
semctl(sem, 0, IPC_RMID)
