"""A death is seen in this order: pipes end, then signal and zombie, then the pid is free."""

import os
import signal


def look(name, call, pid):
    try:
        if call == "read":
            print(name, os.read(pid, 1))
        elif call == "kill":
            print(name, os.kill(pid, 0))
        elif call == "getpgid":
            print(name, os.getpgid(pid) == pid)
    except OSError as error:
        print(name, error.errno)


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
gate = os.pipe()
read_end, write_end = os.pipe2(os.O_NONBLOCK)
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.write(write_end, b"r")
    os.close(gate[1])
    os.read(gate[0], 1)
    os._exit(6)
os.close(write_end)
while True:
    try:
        print("ready", os.read(read_end, 1))
        break
    except BlockingIOError:
        os.sched_yield()
look("alive: pipe", "read", read_end)
look("alive: pid", "kill", pid)
os.write(gate[1], b"x")
info = signal.sigwaitinfo([signal.SIGCHLD])
print("signal", info.si_code, info.si_status)
look("dead: pipe", "read", read_end)
look("dead: pid", "kill", pid)
look("dead: group", "getpgid", pid)
print("zombie", os.waitpid(pid, os.WNOHANG)[1])
look("reaped: pid", "kill", pid)
look("reaped: group", "getpgid", pid)
