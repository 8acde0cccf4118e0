"""A thread execs while its leader, a tracer, ends: the new program has the leader's number."""

import os
import signal
import threading

from workloads import guest


def execute():
    os.execv("/bin/true", ["true"])


for _ in range(3):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        read, write = os.pipe()
        if os.fork() == 0:  # its tracer is who must reap it, or the tracer's exit
            guest.ptrace(guest.PTRACE_TRACEME, 0)
            os._exit(0)
        os.close(write)
        os.read(read, 1)
        threading.Thread(target=execute).start()
        guest.exit_thread(0)
    print(os.waitpid(pid, 0)[1])
