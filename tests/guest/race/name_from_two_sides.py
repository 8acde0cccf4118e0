"""A thread names itself while others name it and look: it has one of the names."""

import os
import threading

from workloads import guest


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100)
    os.close(fd)
    return data.decode()


def name_it():
    fd = os.open(path, os.O_WRONLY)
    os.write(fd, b"given")
    os.close(fd)
    if read_file(path) not in ("given\n", "own\n"):
        print("another name")


path = f"/proc/self/task/{os.getpid()}/comm"
threads = []
for _ in range(2):
    threads.append(threading.Thread(target=name_it))
for thread in threads:
    thread.start()
guest.prctl(guest.PR_SET_NAME, "own")
for thread in threads:
    thread.join()
print(read_file(path) in ("given\n", "own\n"))
