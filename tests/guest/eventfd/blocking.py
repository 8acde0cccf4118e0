"""A reader of an empty eventfd and a writer of a full one sleep until the other side moves."""

import os

e = os.eventfd(0)
full = os.eventfd(0)
os.eventfd_write(full, 2**64 - 2)
pid = os.fork()
if pid == 0:
    print("child read", os.eventfd_read(e))
    print("child read", os.eventfd_read(full) == 2**64 - 2)
    os._exit(0)
os.eventfd_write(e, 42)
os.eventfd_write(full, 7)
print(os.eventfd_read(full), os.waitpid(pid, 0)[1])
s = os.eventfd(0, os.EFD_SEMAPHORE)
pids = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        os._exit(os.eventfd_read(s))
    pids.append(pid)
os.eventfd_write(s, 3)
for pid in pids:
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
