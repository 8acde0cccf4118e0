"""The parent of a vfork child sleeps in state D until the child calls exec."""

import os
import time

base = f"/tmp/vfork-{time.time_ns()}"
os.mkfifo(base)


def state(pid):
    fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    text = os.read(fd, 1000).decode()
    os.close(fd)
    return text[text.rindex(")") + 2]


def wait_for(pid, letter):
    while state(pid) != letter:
        os.sched_yield()


def spawn(path, arguments):
    """Start a program whose child side first opens the FIFO, and so keeps its parent waiting."""
    action = (os.POSIX_SPAWN_OPEN, 0, base, os.O_RDONLY, 0)
    return os.posix_spawn(path, arguments, {}, file_actions=[action])


def let_go():
    return os.open(base, os.O_WRONLY)


pid = os.fork()
if pid == 0:
    child = spawn("/bin/cat", ["cat"])
    print("started", os.waitpid(child, 0)[1])
    os._exit(4)
wait_for(pid, "D")
print("it waits", os.waitpid(pid, os.WNOHANG))
fd = let_go()
wait_for(pid, "S")
print("it waits for the program")
os.write(fd, b"through the fifo\n")
os.close(fd)
print(os.waitpid(pid, 0)[1] >> 8)
os.unlink(base)
