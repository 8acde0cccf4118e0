"""What still works on a zombie, and what no longer works after it has been reaped."""

import os

r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os._exit(6)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def look(when):
    for call in range(9):
        try:
            if call == 0:
                os.kill(pid, 0)
                result = "ok"
            elif call == 1:
                result = os.getpgid(pid) == os.getpgrp()
            elif call == 2:
                result = os.getsid(pid) == os.getsid(0)
            elif call == 3:
                result = os.getpriority(os.PRIO_PROCESS, pid)
            elif call == 4:
                os.setpriority(os.PRIO_PROCESS, pid, 4)
                result = os.getpriority(os.PRIO_PROCESS, pid)
            elif call == 5:
                os.setpgid(pid, pid)
                result = os.getpgid(pid) == pid
            elif call == 6:
                os.kill(-pid, 0)
                os.killpg(pid, 0)
                result = "group"
            elif call == 7:
                result = os.getpriority(os.PRIO_PGRP, pid)
            else:
                os.kill(pid, 19)
                os.kill(pid, 18)
                os.kill(pid, 9)
                result = "sent"
            print(when, call, result)
        except OSError as error:
            print(when, call, error.errno)


look("zombie")
other = os.fork()
if other == 0:
    os.setpgid(0, pid)
    os.read(r, 1)
    os._exit(2)
os.setpgid(other, pid)
try:
    print(os.waitpid(-pid, os.WUNTRACED | os.WCONTINUED)[1])
except OSError as error:
    print(error)
look("reaped")
for options in (os.WNOHANG, os.WNOHANG | os.WUNTRACED):
    print(os.waitpid(-pid, options))
os.kill(-pid, 15)
print(os.waitpid(-pid, 0)[1])
for target in (-pid, pid, other):
    try:
        os.waitpid(target, 0)
    except OSError as error:
        print(error.errno)
try:
    os.setpgid(0, pid)
except OSError as error:
    print(error.errno)
