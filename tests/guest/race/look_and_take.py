"""waitid(WNOWAIT) looks while another thread takes: it sees the zombie as it was, or ECHILD."""

import os
import threading

seen = []


def look(pid):
    try:
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        seen.append((found.si_pid, found.si_status))
    except ChildProcessError:
        seen.append((0, 0))


pid = os.fork()
if pid == 0:
    os._exit(12)
thread = threading.Thread(target=look, args=(pid,))
thread.start()
reaped, status = os.waitpid(pid, 0)
thread.join()
print("taken", reaped == pid, status >> 8, "looked", seen[0] in ((pid, 12), (0, 0)))
