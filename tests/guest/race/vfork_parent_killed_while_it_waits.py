"""SIGKILL ends a vfork parent at once; its child goes on, as an orphan, and runs its program."""

import os
import signal
import time

from workloads import guest

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


guest.set_child_subreaper()
out = os.pipe()
pid = os.fork()
if pid == 0:
    os.dup2(out[1], 1)
    spawn("/bin/cat", ["cat"])
    os._exit(4)
os.close(out[1])
wait_for(pid, "D")
os.kill(pid, signal.SIGKILL)
print(os.waitpid(pid, 0)[1])
fd = let_go()
os.write(fd, b"still here")
os.close(fd)
print(os.read(out[0], 100), os.read(out[0], 100))
print("the child", os.wait()[1])
os.unlink(base)
