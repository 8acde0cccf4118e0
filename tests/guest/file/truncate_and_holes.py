"""ftruncate cuts a file or grows it by zeros; offsets stay; O_APPEND writes at the end."""

import os
import time

path = f"/tmp/trunc{time.time_ns()}"
fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
os.write(fd, b"0123456789")
os.ftruncate(fd, 4)
print(os.fstat(fd).st_size, os.lseek(fd, 0, os.SEEK_CUR))
os.write(fd, b"x")
os.lseek(fd, 0, os.SEEK_SET)
print(os.read(fd, 20))
os.ftruncate(fd, 3)
os.ftruncate(fd, 6)
os.lseek(fd, 0, os.SEEK_SET)
print(os.read(fd, 20))
os.ftruncate(fd, 10000)
os.lseek(fd, 5000, os.SEEK_SET)
os.write(fd, b"middle")
os.ftruncate(fd, 5003)
os.ftruncate(fd, 5010)
os.lseek(fd, 4998, os.SEEK_SET)
print(os.read(fd, 100))
a = os.open(path, os.O_WRONLY | os.O_APPEND)
os.ftruncate(a, 2)
os.write(a, b"end")
print(os.lseek(a, 0, os.SEEK_CUR), os.fstat(fd).st_size)
os.lseek(a, 0, os.SEEK_SET)
os.write(a, b"!")
os.lseek(fd, 0, os.SEEK_SET)
print(os.read(fd, 20))
r = os.open(path, os.O_RDONLY)
p, q = os.pipe()
for bad in ((r, 0), (fd, -1), (999, 0), (q, 0), (os.open("/dev/null", os.O_RDWR), 0)):
    try:
        os.ftruncate(bad[0], bad[1])
    except OSError as error:
        print(error.errno)
print(os.stat(path).st_size, os.path.exists(path))
os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))
print(os.fstat(fd).st_size, os.read(fd, 5))
os.unlink(path)
os.ftruncate(fd, 5)
os.lseek(fd, 0, os.SEEK_SET)
print(os.read(fd, 9), os.fstat(fd).st_nlink, os.path.exists(path))
