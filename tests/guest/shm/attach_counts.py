"""nattch follows shmat, shmdt, fork, exec, exit and death by a signal."""

import os
import signal
import sys

from workloads import guest


def count():
    return guest.shmctl(shm, guest.IPC_STAT)["nattch"]


if len(sys.argv) > 1:
    shm = int(sys.argv[1])
    print("after exec", count())
    here = guest.shmat(shm)
    print("attached again", count())
    os._exit(0)

shm = guest.shmget(guest.IPC_PRIVATE, 4096, guest.IPC_CREAT | 0o600)
print("made", count())
first = guest.shmat(shm)
second = guest.shmat(shm)
print("twice", count())
r, w = os.pipe()
children = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        os.close(w)
        os.read(r, 1)
        os._exit(0)
    children.append(pid)
print("three children", count())
os.kill(children[0], signal.SIGKILL)
os.waitpid(children[0], 0)
print("one killed", count())
guest.shmdt(second)
print("one detached", count())
os.close(w)
os.waitpid(children[1], 0)
os.waitpid(children[2], 0)
print("the others gone", count())
pid = os.fork()
if pid == 0:
    guest.shmdt(first)
    print("child detached", count())
    os._exit(0)
os.waitpid(pid, 0)
pid = os.fork()
if pid == 0:
    os.execv(sys.executable, [sys.executable, "-u", __file__, str(shm)])
os.waitpid(pid, 0)
print("at the end", count())
guest.shmctl(shm, guest.IPC_RMID)
