"""With SIGCHLD ignored a wait returns, with nothing, when the last child is gone."""

import os
import signal

from workloads import guest

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
gate = os.pipe()
for number in range(4):
    if os.fork() == 0:
        os.close(gate[1])
        os.read(gate[0], 1)
        guest.compute(10_000_000 * number)
        os._exit(number)
try:
    print(os.waitpid(-1, os.WNOHANG))
    os.close(gate[1])
    print(os.waitpid(-1, 0))
except ChildProcessError as error:
    print(error)
now = os.times()
print(now.children_user + now.children_system)
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
pid = os.fork()
if pid == 0:
    guest.compute(50_000_000)
    os._exit(9)
print(os.waitpid(pid, 0)[1])
now = os.times()
print(now.children_user + now.children_system > 0)
