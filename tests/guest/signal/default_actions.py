"""What each signal does to a process that has arranged nothing."""

import os
import signal

TERMINATE = [
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGILL,
    signal.SIGTRAP,
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGFPE,
    signal.SIGKILL,
    signal.SIGUSR1,
    signal.SIGSEGV,
    signal.SIGUSR2,
    signal.SIGALRM,
    signal.SIGTERM,
    signal.SIGXCPU,
    signal.SIGVTALRM,
    signal.SIGPROF,
    signal.SIGSYS,
]
HARMLESS = [signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGPIPE]

for number in TERMINATE:
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(write_end)
        os.read(read_end, 1)
        os._exit(0)
    os.kill(pid, number)
    status = os.waitpid(pid, 0)[1]
    print(int(number), os.WIFSIGNALED(status), os.WTERMSIG(status) == number, status)
    os.close(read_end)
    os.close(write_end)
for number in HARMLESS:
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), number)
        os._exit(1)
    print(int(number), "ignored", os.waitpid(pid, 0)[1])
