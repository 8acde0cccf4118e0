"""What a process wrote into a file without closing it is there after its exit."""

import os

PATH = "/tmp/smplab-exit-data"
pid = os.fork()
if pid == 0:
    fd = os.open(PATH, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    os.write(fd, b"written before the end")
    os._exit(0)
os.waitpid(pid, 0)
fd = os.open(PATH, os.O_RDONLY)
print(os.read(fd, 100))
os.unlink(PATH)
try:
    os.open(PATH, os.O_RDONLY)
except FileNotFoundError as error:
    print("gone:", error.errno)
