"""An ignored SIGCHLD is not queued even if it is blocked; another is, once."""

import os
import signal

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])


def have_children(count, disposition):
    signal.signal(signal.SIGCHLD, disposition)
    read_end, write_end = os.pipe()
    for number in range(count):
        if os.fork() == 0:
            os._exit(number)
    os.close(write_end)
    os.read(read_end, 1)
    os.close(read_end)
    reaped = 0
    while True:
        try:
            os.wait()
            reaped += 1
        except ChildProcessError:
            break
    taken = []
    while True:
        info = signal.sigtimedwait([signal.SIGCHLD], 0)
        if info is None:
            break
        taken.append(info.si_code)
    return reaped, taken


print("ignored", have_children(3, signal.SIG_IGN))
reaped, taken = have_children(3, signal.SIG_DFL)
print("by default", reaped, len(taken) >= 1, taken[0])
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print("pending", signal.SIGCHLD in signal.sigpending())
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("flushed", signal.SIGCHLD in signal.sigpending(), os.waitpid(pid, 0)[1])
