"""Threads share an attachment, so it counts once; a forked child's is one more."""

import os
import threading

from workloads import guest


def work(number):
    here[number] = number + 1
    mine = guest.shmat(shm)
    seen.append(mine[number])
    guest.shmdt(mine)


def count():
    return guest.shmctl(shm, guest.IPC_STAT)["nattch"]


seen = []
shm = guest.shmget(guest.IPC_PRIVATE, 4096, guest.IPC_CREAT | 0o600)
here = guest.shmat(shm)
threads = []
for number in range(3):
    threads.append(threading.Thread(target=work, args=(number,)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(seen), here[0:4], count())
pid = os.fork()
if pid == 0:
    print("child", count(), here[0:4])
    os._exit(0)
os.waitpid(pid, 0)
print("end", count(), guest.shmctl(shm, guest.IPC_RMID))
