"""A child whose exit signal is SIGCONT resumes its parent by dying; SIGSTOP stops it."""

import os
import signal

from workloads import guest

WALL = 0x40000000
ready, gate, seen = os.pipe(), os.pipe(), os.pipe()
for number in (signal.SIGCONT, signal.SIGSTOP):
    pid = os.fork()
    if pid == 0:
        child = guest.clone(number)
        if child == 0:
            os.write(ready[1], b"r")
            os.read(gate[0], 1)
            os._exit(0)
        if number == signal.SIGCONT:
            os.kill(os.getpid(), signal.SIGSTOP)
        status = os.waitpid(child, WALL)[1]
        os.read(seen[0], 1)  # its own end must not overtake the report
        os._exit(5 if status == 0 else 6)
    os.read(ready[0], 1)
    if number == signal.SIGCONT:
        print(hex(os.waitpid(pid, os.WUNTRACED)[1]))
        os.write(gate[1], b"x")
        print(hex(os.waitpid(pid, os.WCONTINUED)[1]))
    else:
        os.write(gate[1], b"x")
        print(hex(os.waitpid(pid, os.WUNTRACED)[1]))
        os.kill(pid, signal.SIGCONT)
    os.write(seen[1], b"x")
    print(os.waitpid(pid, 0)[1])
