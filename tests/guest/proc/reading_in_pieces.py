"""Reading a file of /proc in pieces sees one moment; seeking to the start makes a new text."""

import os

fd = os.open("/proc/self/comm", os.O_RDWR)
print(os.write(fd, b"first"))
print(os.lseek(fd, 0, os.SEEK_SET))
print(os.read(fd, 3))
other = os.open("/proc/self/comm", os.O_WRONLY)
os.write(other, b"second")
print(os.read(fd, 100))
print(os.read(fd, 100))
print(os.lseek(fd, 0, os.SEEK_SET), os.read(fd, 100))
print(os.lseek(fd, 2, os.SEEK_SET), os.read(fd, 100))
print(os.lseek(fd, -1, os.SEEK_CUR), os.read(fd, 100))
try:
    os.lseek(fd, 0, os.SEEK_END)
except OSError as error:
    print("end", error.errno)
try:
    os.lseek(fd, -1, os.SEEK_SET)
except OSError as error:
    print("negative", error.errno)
print(os.fstat(fd).st_size, f"{os.fstat(fd).st_mode:o}")
