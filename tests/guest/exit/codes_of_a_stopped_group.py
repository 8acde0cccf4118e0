"""A stopped process that is killed tells of its death only, not of its stop any more."""

import os
import signal

statuses = []
for how in ("kill", "kill and continue", "term and continue", "parent looks first"):
    pid = os.fork()
    if pid == 0:
        while True:
            signal.pause()
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
    if how == "parent looks first":
        print(hex(os.waitpid(pid, os.WUNTRACED)[1]))
    if "kill" in how or "looks" in how:
        os.kill(pid, signal.SIGKILL)
    else:
        os.kill(pid, signal.SIGTERM)
    if "continue" in how:
        os.kill(pid, signal.SIGCONT)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print(how, hex(os.waitpid(pid, os.WUNTRACED | os.WCONTINUED)[1]))
try:
    os.waitpid(-1, os.WUNTRACED | os.WCONTINUED)
except ChildProcessError as error:
    print(error)
