"""cmdline has the arguments of the last exec, with a NUL after each; fork copies it."""

import os


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


def words(pid):
    return read_file(f"/proc/{pid}/cmdline").split("\0")


mine = words("self")
print(
    "ends with a NUL",
    mine[-1] == "",
    mine[-2] == "second" if len(mine) > 3 and mine[-2] == "second" else "",
)
pid = os.fork()
if pid == 0:
    print("same in the child", words("self") == mine)
    os._exit(0)
os.waitpid(pid, 0)
pid = os.fork()
if pid == 0:
    os.execv("/bin/cat", ["a name", "/proc/self/cmdline", "/proc/self/comm"])
os.waitpid(pid, 0)
print()
pid = os.posix_spawn("/bin/cat", ["", "/proc/self/cmdline"], {})
os.waitpid(pid, 0)
