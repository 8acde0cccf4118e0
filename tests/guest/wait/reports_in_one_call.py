"""A wait for every kind of change takes stops, continues and ends, oldest child first."""

import os
import signal

ALL = os.WEXITED | os.WSTOPPED | os.WCONTINUED
pids = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        signal.pause()
    pids.append(pid)


def told(pid_kind=os.P_ALL, number=0):
    found = os.waitid(pid_kind, number, ALL | os.WNOHANG)
    if found is None:
        return None
    return pids.index(found.si_pid), found.si_code, found.si_status


def stop(number):
    os.kill(pids[number], signal.SIGSTOP)
    os.waitid(os.P_PID, pids[number], os.WSTOPPED | os.WNOWAIT)


print(told())
stop(2)
stop(0)
print(told(), told(), told())
stop(1)
os.kill(pids[2], signal.SIGCONT)
os.waitid(os.P_PID, pids[2], os.WCONTINUED | os.WNOWAIT)
os.kill(pids[0], signal.SIGKILL)
os.waitid(os.P_PID, pids[0], os.WEXITED | os.WNOWAIT)
print(told(os.P_PID, pids[1]), told(), told(), told())
os.kill(pids[1], signal.SIGTERM)
print("it is stopped", told())
os.kill(pids[1], signal.SIGCONT)
os.kill(pids[2], signal.SIGTERM)
os.waitid(os.P_PID, pids[2], os.WEXITED | os.WNOWAIT)
os.waitid(os.P_PID, pids[1], os.WEXITED | os.WNOWAIT)
print(told(), told())
try:
    told()
except ChildProcessError as error:
    print(error)
