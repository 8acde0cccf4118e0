"""A thread whose leader is a zombie already may exec: the process has a living leader again."""

import os
import sys
import threading
import time

from workloads import guest


def execute(pid, fd):
    os.read(fd, 1)
    os.execv(sys.executable, [sys.executable, "-u", __file__, str(pid)])


if len(sys.argv) > 1:
    print("same pid", os.getpid() == int(sys.argv[1]), "leader", guest.gettid() == os.getpid())
    sys.exit(21)
gate = os.pipe()
pid = os.fork()
if pid == 0:
    threading.Thread(target=execute, args=(os.getpid(), gate[0])).start()
    guest.exit_thread(9)
time.sleep(0.1)
print("not waitable", os.waitpid(pid, os.WNOHANG))
os.write(gate[1], b"x")
info = os.waitid(os.P_PID, pid, os.WEXITED)
print(info.si_code == os.CLD_EXITED, info.si_status)
