"""F_DUPFD finds the lowest descriptor at or above its argument; what copies inherit."""

import errno
import fcntl
import os

fd = os.open("/dev/null", os.O_RDONLY)
low = fcntl.fcntl(fd, fcntl.F_DUPFD, 100)
high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100)
print(low, high, os.get_inheritable(low), os.get_inheritable(high))
os.close(low)
print(fcntl.fcntl(fd, fcntl.F_DUPFD, 100), fcntl.fcntl(fd, fcntl.F_DUPFD, 0) == fd + 1)
for least in (1 << 20, -1):
    try:
        fcntl.fcntl(fd, fcntl.F_DUPFD, least)
    except OSError as error:
        print(error.errno == errno.EINVAL)
print(os.dup2(fd, 200), os.get_inheritable(200), os.dup2(fd, 201, False), os.get_inheritable(201))
print(os.dup2(fd, fd) == fd, os.get_inheritable(fd))
try:
    os.dup2(fd, fd, inheritable=False)
except OSError as error:
    print(error.errno)
for pair in ((999, 5), (fd, 1 << 21)):
    try:
        os.dup2(pair[0], pair[1])
    except OSError as error:
        print(error.errno)
offset = os.open(__file__, os.O_RDONLY)
twin = os.dup(offset)
os.read(offset, 3)
print(os.read(twin, 1), os.lseek(twin, 0, os.SEEK_SET), os.read(offset, 3))
other = os.open(__file__, os.O_RDONLY)
print(os.lseek(other, 0, os.SEEK_CUR))
