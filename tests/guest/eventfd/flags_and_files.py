"""Flags and limits of eventfd, and how the descriptor behaves as a file."""

import os

e = os.eventfd(0)
print(os.get_inheritable(e), os.get_blocking(e), f"{os.fstat(e).st_mode:o}")
e2 = os.eventfd(0, 0)
print(os.get_inheritable(e2), os.lseek(e2, 10, os.SEEK_SET), os.lseek(e2, 0, os.SEEK_CUR))
for args in ((1, 99), (-1, 0), (2**32, 0)):
    try:
        os.eventfd(args[0], args[1])
    except (OSError, ValueError, OverflowError) as error:
        print(error)
for fd in (999,):
    try:
        os.eventfd_read(fd)
    except OSError as error:
        print(error)
    try:
        os.eventfd_write(fd, 1)
    except OSError as error:
        print(error)
big = os.eventfd(2**32 - 1)
print(os.eventfd_read(big))
copy = os.dup(e)
os.eventfd_write(copy, 5)
os.close(copy)
print(os.eventfd_read(e))
if os.fork() == 0:
    os.eventfd_write(e, 6)
    os._exit(0)
os.wait()
print(os.eventfd_read(e))
