"""Children of another thread: found by wait, unless __WNOTHREAD; kept when their thread ends."""

import os
import threading

from workloads import guest

r, w = os.pipe()
pids = []
done = threading.Lock()
go = threading.Lock()


def maker(codes):
    for code in codes:
        pid = os.fork()
        if pid == 0:
            os._exit(code)
        pids.append(pid)
    go.acquire()


go.acquire()
thread = threading.Thread(target=maker, args=((3, 4),))
thread.start()
while len(pids) < 2:
    os.sched_yield()
for pid in pids:
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
for options in (os.WNOHANG | 0x20000000, 0x20000000):
    try:
        print(os.waitpid(-1, options))
    except ChildProcessError as error:
        print(error.errno)
try:
    print(os.waitpid(pids[1], os.WNOHANG | 0x20000000))
except ChildProcessError as error:
    print(error.errno)
print(os.waitpid(pids[1], os.WNOHANG | 0x40000000)[1])
go.release()
thread.join()
time = 0
while time < 100000:
    try:
        print(os.waitpid(-1, 0x20000000)[1])
        break
    except ChildProcessError:
        time += 1
print(time < 100000)
tids = []


def teller():
    tids.append(guest.gettid())
    go.acquire()


go = threading.Lock()
go.acquire()
thread = threading.Thread(target=teller)
thread.start()
while not tids:
    os.sched_yield()
for call in range(6):
    try:
        if call == 0:
            os.waitpid(tids[0], os.WNOHANG)
        elif call == 1:
            os.setpgid(tids[0], 0)
        elif call == 2:
            os.kill(tids[0], 0)
            print("kill by tid")
        elif call == 3:
            print(os.getpgid(tids[0]) == os.getpgrp(), os.getsid(tids[0]) == os.getsid(0))
        elif call == 4:
            print(os.getpriority(os.PRIO_PROCESS, tids[0]))
        else:
            os.kill(-tids[0], 0)
    except OSError as error:
        print(call, error.errno)
os.setpriority(os.PRIO_PROCESS, tids[0], 7)
print(os.getpriority(os.PRIO_PROCESS, tids[0]), os.getpriority(os.PRIO_PROCESS, 0))
os.setpriority(os.PRIO_PGRP, 0, 9)
print(os.getpriority(os.PRIO_PROCESS, tids[0]), os.getpriority(os.PRIO_PROCESS, 0))
go.release()
thread.join()
