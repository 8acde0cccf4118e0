"""Descriptors close at exec unless dup2 made them for others; a failed exec closes none."""

import os
import sys

if len(sys.argv) > 1:
    for word in sys.argv[1:]:
        try:
            os.lseek(int(word), 0, os.SEEK_CUR)
            print(word, "open")
        except OSError as error:
            print(word, error.errno, error.strerror)
    sys.exit(0)
fd = os.open(__file__, os.O_RDONLY)
low = os.dup(fd)
os.dup2(fd, 70)
os.dup2(fd, 71, inheritable=False)
os.dup2(70, 72)
os.dup2(71, 73)
os.dup2(fd, 74, True)
try:
    os.dup2(74, 74, False)
except OSError as error:
    print(error)
os.dup2(71, 71, True)
read_end, write_end = os.pipe()
os.dup2(read_end, 75)
raw_read, raw_write = os.pipe2(0)
kept_read, kept_write = os.pipe2(os.O_CLOEXEC)
opened = os.open(__file__, os.O_RDONLY | os.O_CLOEXEC)
words = [fd, low, 70, 71, 72, 73, 74, read_end, write_end, 75]
words += [raw_read, raw_write, kept_read, kept_write, opened]
try:
    os.execv("/no/such/file", ["x"])
except FileNotFoundError:
    for number in words:
        os.fstat(number)
os.execv(sys.executable, [sys.executable, "-u", __file__] + [str(word) for word in words])
