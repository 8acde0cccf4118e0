"""A group that becomes orphaned with a stopped member: SIGHUP and SIGCONT for all of it."""

import os
import signal
import time

report_r, report_w = os.pipe()
gate_r, gate_w = os.pipe()


def scene(name, own_group, own_session, stop, sig):
    middle = os.fork()
    if middle == 0:
        if own_session:
            os.setsid()
        pids = []
        for number in range(2):
            pid = os.fork()
            if pid == 0:
                os.close(gate_w)
                os.close(report_r)
                os.read(gate_r, 1)
                os.write(report_w, b"%d" % number)
                os._exit(number)
            if own_group:
                os.setpgid(pid, pids[0] if pids else 0)
            pids.append(pid)
        if stop:
            os.kill(pids[0], sig)
            found = os.waitpid(
                pids[0], os.WUNTRACED | (os.WNOHANG if sig != 19 and not own_group else 0)
            )
            print(name, found[1])
        os.write(report_w, f"{pids[0]} {pids[1]}\n".encode())
        os._exit(0)
    os.waitpid(middle, 0)
    first, second = os.read(report_r, 100).split()
    time.sleep(0.1)
    alive = 0
    for pid in (int(first), int(second)):
        try:
            os.kill(pid, 0)
            alive += 1
        except ProcessLookupError:
            pass
    print(name, alive)
    for pid in (int(first), int(second)):
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass


scene("group stopped", True, False, True, signal.SIGSTOP)
scene("group running", True, False, False, 0)
scene("same group", False, False, True, signal.SIGSTOP)
scene("session", True, True, True, signal.SIGSTOP)
scene("session leader's group", False, True, True, signal.SIGSTOP)
scene("group stopped by tstp", True, False, True, signal.SIGTSTP)
