"""An eventfd adds what is written and gives it all at once, or one by one as a semaphore."""

import os
import select

e = os.eventfd(3, os.EFD_NONBLOCK)
os.eventfd_write(e, 4)
print(os.eventfd_read(e))
try:
    os.eventfd_read(e)
except BlockingIOError as error:
    print(error)
os.eventfd_write(e, 0)
poll = select.poll()
poll.register(e, select.POLLIN | select.POLLOUT)
print([mask for _, mask in poll.poll(0)])
os.eventfd_write(e, 2**64 - 2)
print([mask for _, mask in poll.poll(0)])
try:
    os.eventfd_write(e, 1)
except BlockingIOError as error:
    print(error)
print(os.eventfd_read(e) == 2**64 - 2)
os.eventfd_write(e, 2**64 - 3)
print([mask for _, mask in poll.poll(0)])
os.eventfd_write(e, 1)
print(os.read(e, 100))
try:
    os.eventfd_write(e, 2**64 - 1)
except OSError as error:
    print(error)
for bad in (-1, 2**64, "x"):
    try:
        os.eventfd_write(e, bad)
    except (ValueError, OverflowError, TypeError) as error:
        print(error)
for data in (b"", b"x", b"123456789"):
    try:
        os.write(e, data)
    except OSError as error:
        print(error.errno)
try:
    os.read(e, 7)
except OSError as error:
    print(error.errno)
print(os.write(e, b"\1\0\0\0\0\0\0\0"), os.eventfd_read(e))
s = os.eventfd(2, os.EFD_SEMAPHORE | os.EFD_NONBLOCK)
os.eventfd_write(s, 1)
print(os.eventfd_read(s), os.eventfd_read(s), os.eventfd_read(s))
try:
    os.eventfd_read(s)
except BlockingIOError as error:
    print(error.errno)
