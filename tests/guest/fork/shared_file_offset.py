"""All processes read a file opened before fork through one offset, and a seek moves it for all."""

import os

PATH = "/tmp/smplab-shared-offset"
fd = os.open(PATH, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
os.unlink(PATH)
os.write(fd, b"abcdefgh")
os.lseek(fd, 0, os.SEEK_SET)
for _ in range(4):
    if os.fork() == 0:
        print("child read", os.read(fd, 1))
        os._exit(0)
    os.wait()
print("parent read", os.read(fd, 1), "at", os.lseek(fd, 0, os.SEEK_CUR))
if os.fork() == 0:
    os.lseek(fd, 2, os.SEEK_SET)
    os._exit(0)
os.wait()
print("after the child's seek", os.read(fd, 2))
print("to the end", os.read(fd, 100), os.read(fd, 100))
