"""How much fits into a pipe after writes and reads of odd sizes; pipe errors."""

import os


def count(fd, size, limit):
    total = 0
    for _ in range(limit):
        try:
            total += os.write(fd, b"x" * size)
        except BlockingIOError:
            return total
    return total


for sizes in (
    (1, 70000),
    (4095, 99),
    (4096, 99),
    (4097, 99),
    (100, 9999),
    (5000, 99),
    (70000, 2),
    (65537, 2),
):
    r, w = os.pipe2(os.O_NONBLOCK)
    print(sizes[0], count(w, sizes[0], sizes[1]))
    for n in (4095, 1, 4096, 1, 100):
        got = len(os.read(r, n))
        print(" read", got, count(w, 1, 3), count(w, 4096, 2), count(w, 5000, 1))
    os.close(w)
    total = 0
    while True:
        data = os.read(r, 100000)
        if not data:
            break
        total += len(data)
    print(" rest", total)
    os.close(r)
r, w = os.pipe2(os.O_NONBLOCK)
try:
    os.read(r, 5)
except BlockingIOError as error:
    print(error)
print(os.read(r, 0), os.write(w, b""))
os.close(r)
print(os.write(w, b""))
try:
    os.write(w, b"x")
except BrokenPipeError as error:
    print(error)
for flags in (os.O_APPEND, os.O_CLOEXEC, os.O_NONBLOCK | os.O_CLOEXEC, os.O_RDWR):
    try:
        os.pipe2(flags)
        print("ok")
    except OSError as error:
        print(error.errno)
fds = []
try:
    while True:
        fds.append(os.dup(0))
except OSError as error:
    print(error.errno)
os.close(fds.pop())
try:
    os.pipe()
except OSError as error:
    print(error.errno)
print(os.dup(0) > 2)  # the pipe that failed took no descriptor
