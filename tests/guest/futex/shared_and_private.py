"""A word of shared memory is one futex for all processes; of private memory, one per process."""

import mmap
import os
import threading
import time

from workloads import guest

shared = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
private = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
segment = guest.shmget(guest.IPC_PRIVATE, 4096, guest.IPC_CREAT | 0o600)
first = guest.shmat(segment)
second = guest.shmat(segment)
guest.shmctl(segment, guest.IPC_RMID)


def thread(offset):
    guest.futex_wait(private, offset, 0)
    woken.append(offset)


def wake_until(memory, offset):
    """The sleeper may not sleep yet."""
    while guest.futex_wake(memory, offset, 1) == 0:
        time.sleep(0.001)


pid = os.fork()
if pid == 0:
    guest.futex_wait(shared, 8, 0)
    os._exit(3)
wake_until(shared, 8)
print("shared", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

pid = os.fork()
if pid == 0:
    guest.futex_wait(first, 8, 0)
    os._exit(4)
wake_until(second, 8)
print("segment at two addresses", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

woken = []
sleeper = threading.Thread(target=thread, args=(16,))
sleeper.start()
wake_until(private, 16)
sleeper.join()
print("private, threads", woken)

pid = os.fork()
if pid == 0:
    try:
        guest.futex_wait(private, 24, 0, 20_000_000)
        os._exit(1)
    except TimeoutError:
        os._exit(5)
while os.waitpid(pid, os.WNOHANG)[0] == 0:
    if guest.futex_wake(private, 24, 1):
        print("woke a process through private memory")
    time.sleep(0.001)
print("private, processes: timed out")
