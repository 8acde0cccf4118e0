"""Readers get what is left and then nothing; writers without readers get EPIPE."""

import os

read_end, write_end = os.pipe()
os.write(write_end, b"left over")
os.close(write_end)
print(os.read(read_end, 4), os.read(read_end, 100), os.read(read_end, 100))
os.close(read_end)
read_end, write_end = os.pipe()
for name, fd in (("read from the write end", write_end), ("write to the read end", read_end)):
    try:
        if fd == write_end:
            os.read(fd, 1)
        else:
            os.write(fd, b"x")
    except OSError as error:
        print(name, "errno", error.errno)
os.close(read_end)
try:
    os.write(write_end, b"x")
except BrokenPipeError as error:
    print("no reader: errno", error.errno)
print("nothing to write:", os.write(write_end, b""))
os.close(write_end)
for fd in (read_end, 1000, -1):
    try:
        os.read(fd, 1)
    except OSError as error:
        print("closed: errno", error.errno)
try:
    os.close(write_end)
except OSError as error:
    print("closed twice: errno", error.errno)
