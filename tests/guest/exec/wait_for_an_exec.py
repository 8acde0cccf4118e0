"""A parent learns that exec has succeeded by the end of a close-on-exec pipe, or reads why not."""

import os
import time


def start(path, arguments):
    """Start a program; return its pid, or raise what exec raised in the child."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        try:
            os.execv(path, arguments)
        except OSError as error:
            os.write(write_end, str(error.errno).encode())
        os._exit(127)
    os.close(write_end)
    data = os.read(read_end, 10)
    os.close(read_end)
    if data:
        os.waitpid(pid, 0)
        raise OSError(int(data), "in the child", path)
    return pid


for path in ("/bin/true", "/no/such", "/tmp", "/bin/false", "/bin/true/x"):
    try:
        print(path, os.waitpid(start(path, ["x"]), 0)[1])
    except OSError as error:
        print(error)
begin = time.monotonic()
pid = start("/bin/sleep", ["sleep", "100"])
os.kill(pid, 15)
print(os.waitpid(pid, 0)[1], time.monotonic() - begin < 50)
