"""A stop is reported with its signal, once, and forgotten when the child continues."""

import os
import signal

FLAGS = os.WUNTRACED | os.WCONTINUED


def now(pid, options):
    found, status = os.waitpid(pid, options | os.WNOHANG)
    return hex(status) if found else None


for number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
    gate = os.pipe()
    ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.close(gate[1])
        os.write(ready[1], b"r")
        os.read(gate[0], 1)
        os._exit(7)
    os.read(ready[0], 1)
    os.kill(pid, number)
    print(int(number), hex(os.waitpid(pid, os.WUNTRACED)[1]), now(pid, FLAGS))
    os.kill(pid, number)
    print("again", now(pid, FLAGS))
    os.kill(pid, signal.SIGCONT)
    print("continued", hex(os.waitpid(pid, FLAGS)[1]), now(pid, FLAGS))
    os.kill(pid, number)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
    os.kill(pid, signal.SIGCONT)
    os.waitid(os.P_PID, pid, os.WCONTINUED | os.WNOWAIT)
    print("not taken in time", now(pid, os.WUNTRACED), now(pid, FLAGS), now(pid, FLAGS))
    os.close(gate[1])
    print("end", hex(os.waitpid(pid, FLAGS)[1]))
    os.close(gate[0])
