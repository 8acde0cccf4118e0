"""Two processes attach to a third at once: one of them gets it."""

import os
import signal

from workloads import guest

alive_read, alive_write = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(alive_write)
    os.read(alive_read, 1)
    os._exit(3)
count_read, count_write = os.pipe()
tracers = []
for _ in range(2):
    tracer = os.fork()
    if tracer == 0:
        os.close(alive_write)
        try:
            guest.ptrace(guest.PTRACE_SEIZE, pid)
        except PermissionError:
            os.write(count_write, b"n")
            signal.pause()
        guest.ptrace(guest.PTRACE_INTERRUPT, pid)
        status = os.waitpid(pid, 0)[1]
        os.write(count_write, b"y" if os.WIFSTOPPED(status) else b"?")
        signal.pause()
    tracers.append(tracer)
os.close(alive_read)
found = os.read(count_read, 1)
found += os.read(count_read, 1)
print("winners", found.count(b"y"), "losers", found.count(b"n"))
for tracer in tracers:
    os.kill(tracer, signal.SIGKILL)
    print(os.waitpid(tracer, 0)[1])
os.close(alive_write)
print(hex(os.waitpid(pid, 0)[1]))
