"""What posix_spawn's caller is sent while it waits is handled when its child lets it go."""

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


def note(number, frame):
    print("handler", int(number))


for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGUSR2, signal.SIGCONT):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGUSR1, note)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        child = spawn("/bin/cat", ["cat"])
        print("started", os.waitpid(child, 0)[1])
        os._exit(4)
    wait_for(pid, "D")
    os.kill(pid, number)
    time.sleep(0.05)
    print(state(pid), os.waitpid(pid, os.WNOHANG))
    os.close(let_go())
    print(os.waitpid(pid, 0)[1])
os.unlink(base)
