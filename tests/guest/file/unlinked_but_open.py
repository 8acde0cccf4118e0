"""A file without a name lives on while somebody has it open, over fork, until the last close."""

import os
import time

path = f"/tmp/unlinked{time.time_ns()}"
fd = os.open(path, os.O_RDWR | os.O_CREAT)
os.write(fd, b"content")
os.unlink(path)
print(os.path.exists(path), os.fstat(fd).st_nlink, os.fstat(fd).st_size)
new = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
os.write(new, b"another file")
pid = os.fork()
if pid == 0:
    os.close(new)
    os.lseek(fd, 0, os.SEEK_SET)
    print("child", os.read(fd, 20), os.write(fd, b" grown"))
    os._exit(0)
os.waitpid(pid, 0)
print(os.lseek(fd, 0, os.SEEK_CUR), os.lseek(fd, 0, os.SEEK_SET), os.read(fd, 50))
os.lseek(new, 0, os.SEEK_SET)
print(os.read(new, 50))
os.rename(path, path + "2")
print(os.fstat(new).st_nlink, os.path.exists(path + "2"))
os.unlink(path + "2")
