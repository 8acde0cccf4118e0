"""A signal to a thread in semop() ends that call; its handler runs in the main thread."""

import os
import signal
import threading

from workloads import guest

ran = []
result = []


def handler(signum, frame):
    ran.append(threading.get_native_id() == os.getpid())


def work():
    try:
        guest.semop(sem, [(0, -1, 0)])
        result.append("taken")
    except InterruptedError as error:
        result.append(error.errno)


def waiters():
    return guest.semctl(sem, 0, guest.GETNCNT)


sem = guest.semget(guest.IPC_PRIVATE, 1, guest.IPC_CREAT | 0o600)
signal.signal(signal.SIGUSR1, handler)
threads = []
for number in range(2):
    threads.append(threading.Thread(target=work))
    threads[number].start()
    while waiters() <= number:
        os.sched_yield()
signal.pthread_kill(threads[0].ident, signal.SIGUSR1)
threads[0].join()
print(result, ran, waiters())
guest.semop(sem, [(0, 1, 0)])
threads[1].join()
print(result, waiters(), guest.semctl(sem, 0, guest.GETVAL))
guest.semctl(sem, 0, guest.IPC_RMID)
