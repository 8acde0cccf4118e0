import os

if __name__ == "__main__":
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print("it has ended with", info.si_status)
    os.kill(pid, 9)  # a zombie takes signals, and nothing comes of it
    _, status = os.waitpid(pid, 0)
    print("and is released with", os.waitstatus_to_exitcode(status))
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        print("now it is gone")
