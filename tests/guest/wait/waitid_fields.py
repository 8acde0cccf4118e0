"""What waitid tells of children that exited and that were killed, and which calls it refuses."""

import os
import signal


def child(action):
    pid = os.fork()
    if pid == 0:
        if action >= 0:
            os._exit(action)
        os.kill(os.getpid(), -action)
    return pid


def refuse(kind, number, options):
    try:
        print(os.waitid(kind, number, options))
    except OSError as error:
        print("errno", error.errno)


refuse(os.P_ALL, 0, os.WEXITED)
pid = child(12)
found = os.waitid(os.P_PID, pid, os.WEXITED)
print(found.si_pid == pid, found.si_signo, found.si_status, found.si_code == os.CLD_EXITED)
pid = child(-int(signal.SIGKILL))
found = os.waitid(os.P_ALL, 0, os.WEXITED)
print(found.si_pid == pid, found.si_signo, found.si_status, found.si_code == os.CLD_KILLED)
pid = child(1)
refuse(os.P_PID, pid, 0)
refuse(os.P_PID, pid, os.WNOHANG)
refuse(os.P_PID, pid, os.WEXITED | 0x100)
refuse(os.P_PID, 1, os.WEXITED)
refuse(os.P_PID, 0, os.WEXITED)
refuse(os.P_PGID, 999999, os.WEXITED)
refuse(77, pid, os.WEXITED)
print(os.waitid(os.P_PGID, os.getpgrp(), os.WEXITED).si_pid == pid)
