"""What calls make of a thread's id where they want a process's."""

import os
import signal
import threading

from workloads import guest

gate = os.pipe()
tids = []
got = []


def idle():
    tids.append(guest.gettid())
    os.read(gate[0], 1)


def note(number, frame):
    got.append(int(number))


def attempt(name, call, first, second):
    try:
        if call == "kill":
            os.kill(first, second)
            result = "sent"
        elif call == "getpgid":
            result = os.getpgid(first) == os.getpgrp()
        elif call == "getsid":
            result = os.getsid(first) == os.getsid(0)
        elif call == "setpgid":
            result = os.setpgid(first, second)
        elif call == "waitpid":
            result = os.waitpid(first, second)
        elif call == "priority":
            result = os.getpriority(first, second)
        print(name, result)
    except OSError as error:
        print(name, error.errno)


signal.signal(signal.SIGUSR1, note)
thread = threading.Thread(target=idle)
thread.start()
while not tids:
    os.sched_yield()
tid = tids[0]
print(tid != os.getpid(), thread.native_id == tid)
attempt("exists", "kill", tid, 0)
attempt("the process gets it", "kill", tid, signal.SIGUSR1)
attempt("as a group", "kill", -tid, 0)
attempt("its group", "getpgid", tid, 0)
attempt("its session", "getsid", tid, 0)
attempt("into a group", "setpgid", tid, 0)
attempt("a group of that number", "setpgid", 0, tid)
attempt("wait for it", "waitpid", tid, os.WNOHANG)
attempt("wait for it as a group", "waitpid", -tid, os.WNOHANG)
attempt("priority", "priority", os.PRIO_PROCESS, tid)
attempt("priority of its group", "priority", os.PRIO_PGRP, tid)
os.write(gate[1], b"x")
thread.join()
print(got)
