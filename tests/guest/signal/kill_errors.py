"""What kill refuses, and signal 0, which only asks."""

import os


def attempt(name, pid, number):
    try:
        os.kill(pid, number)
        print(name, "sent")
    except OSError as error:
        print(name, "errno", error.errno)


pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
attempt("a zombie", pid, 0)
attempt("a zombie, SIGKILL", pid, 9)
print("its status", os.waitpid(pid, 0)[1])
attempt("reaped", pid, 0)
attempt("myself", os.getpid(), 0)
attempt("no such signal", os.getpid(), 65)
attempt("negative signal", os.getpid(), -1)
attempt("no such process", 999999, 9)
attempt("no such group", -999999, 9)
attempt("INT_MIN", -2147483648, 9)
