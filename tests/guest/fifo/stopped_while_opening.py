"""A process stopped and continued inside open() of a FIFO goes on waiting, and gets in later."""

import os
import signal
import time

path = f"/tmp/fifo{time.time_ns()}"
os.mkfifo(path)
child = os.fork()
if child == 0:
    r = os.open(path, os.O_RDONLY)
    os._exit(len(os.read(r, 10)))
os.kill(child, signal.SIGSTOP)
print(os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1]))
os.kill(child, signal.SIGCONT)
print(os.WIFCONTINUED(os.waitpid(child, os.WCONTINUED)[1]))
w = os.open(path, os.O_WRONLY)
os.write(w, b"seven77")
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
child = os.fork()
if child == 0:
    os.close(w)
    os.open(path, os.O_WRONLY)
    os._exit(0)
os.close(w)
os.kill(child, signal.SIGKILL)
print(os.WTERMSIG(os.waitpid(child, 0)[1]))
r = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
print("the killed writer left no trace:", os.read(r, 1))
os.unlink(path)
