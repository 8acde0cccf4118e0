"""SIGSTOP does not reach a vfork parent until its child lets it go: state D, then T."""

import os
import signal
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
os.kill(pid, signal.SIGSTOP)
time.sleep(0.05)
print(state(pid), os.waitpid(pid, os.WNOHANG | os.WUNTRACED))
fd = let_go()
print(hex(os.waitpid(pid, os.WUNTRACED)[1]), state(pid))
os.close(fd)
os.kill(pid, signal.SIGCONT)
print(os.waitpid(pid, 0)[1] >> 8)
os.unlink(base)
