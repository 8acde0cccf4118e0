"""A file open for writing is not executed; a file that runs is not opened for writing."""

import os
import time

script = f"/tmp/busy-{time.time_ns()}"


def run(path):
    try:
        return os.waitpid(os.posix_spawn(path, ["x"], {}), 0)[1]
    except OSError as error:
        return -error.errno


def opened(path, flags):
    try:
        os.close(os.open(path, flags))
        return 0
    except OSError as error:
        return -error.errno


fd = os.open(script, os.O_CREAT | os.O_RDWR, 0o755)
os.write(fd, b"#!/bin/true\n")
print("the one who wrote it", run(script))
copy = os.dup(fd)
os.close(fd)
print("its copy", run(script))
os.close(copy)
print("nobody", run(script))
reader = os.open(script, os.O_RDONLY)
print("a reader", run(script))
os.close(reader)
ready, go = os.pipe(), os.pipe()
pid = os.fork()
if pid == 0:
    os.open(script, os.O_WRONLY | os.O_APPEND)
    os.write(ready[1], b"x")
    os.read(go[0], 1)
    os._exit(0)
os.read(ready[0], 1)
print("a writer in another process", run(script))
os.write(go[1], b"x")
os.waitpid(pid, 0)
print("it is dead", run(script))
pid = os.posix_spawn("/bin/sleep", ["sleep", "100"], {})
print("a running image", opened("/bin/sleep", os.O_WRONLY), opened("/bin/sleep", os.O_RDWR))
print("to read", opened("/bin/sleep", os.O_RDONLY))
os.kill(pid, 9)
os.waitpid(pid, 0)
os.unlink(script)
