"""A seized task is stopped and continued by others: its tracer sees stops, and it ends at last."""

import os
import signal

from workloads import guest

pid = os.fork()
if pid == 0:
    signal.pause()
guest.ptrace(guest.PTRACE_SEIZE, pid)
others = []
for number in (signal.SIGSTOP, signal.SIGCONT):
    other = os.fork()
    if other == 0:
        os.kill(pid, number)
        os.kill(pid, number)
        os._exit(0)
    others.append(other)
status = 0
odd = 0
while True:
    if others:
        seen, status = os.wait()
    else:
        os.kill(pid, signal.SIGKILL)
        seen, status = os.waitpid(pid, 0)
    if seen in others:
        others.remove(seen)
        continue
    if not os.WIFSTOPPED(status):
        break
    number = os.WSTOPSIG(status)
    try:
        if status >> 16 == guest.PTRACE_EVENT_STOP:
            request = guest.PTRACE_CONT if number == signal.SIGTRAP else guest.PTRACE_LISTEN
            guest.ptrace(request, pid)
        else:
            odd += number not in (signal.SIGSTOP, signal.SIGCONT)
            guest.ptrace(guest.PTRACE_CONT, pid, 0, number)
    except ProcessLookupError:
        pass
print(odd, hex(status))
