"""A file of /proc/PID/fd opens what the descriptor stands for."""

import os

path = "/tmp/smplab-proc-fd"
fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o600)
os.write(fd, b"content")
print(
    os.stat(f"/proc/self/fd/{fd}").st_size,
    os.stat(f"/proc/self/fd/{fd}").st_ino == os.fstat(fd).st_ino,
)
again = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
print(os.read(again, 100), os.read(fd, 100))
pid = os.fork()
if pid == 0:
    other = os.open(f"/proc/{os.getppid()}/fd/{fd}", os.O_RDONLY)
    print("child", os.read(other, 100))
    os._exit(0)
os.waitpid(pid, 0)
os.unlink(path)
gone = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
print("unlinked", os.read(gone, 100), os.fstat(gone).st_nlink)
try:
    os.open("/proc/self/fd/987", os.O_RDONLY)
except OSError as error:
    print(error.errno)
