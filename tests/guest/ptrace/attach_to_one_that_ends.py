"""Attaching to a process that ends or has ended, and ending with tracees that run or stand."""

import os
import signal
import time

from workloads import guest


def attach(pid):
    try:
        guest.ptrace(guest.PTRACE_ATTACH, pid)
        return "attached"
    except OSError as error:
        return error.errno


zombie = os.fork()
if zombie == 0:
    os._exit(3)
os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
print("zombie", attach(zombie))
print(os.waitstatus_to_exitcode(os.waitpid(zombie, 0)[1]))
print("gone", attach(zombie))
print("itself", attach(os.getpid()))

read_end, write_end = os.pipe()
tracee = os.fork()
if tracee == 0:
    os.read(read_end, 1)
    os._exit(5)
for standing in (True, False):
    tracer = os.fork()
    if tracer == 0:
        told = attach(tracee)
        os.waitpid(tracee, 0)
        again = attach(tracee)
        if not standing:
            guest.ptrace(guest.PTRACE_CONT, tracee)
        print("standing" if standing else "running", told, again)
        os._exit(0)
    os.waitpid(tracer, 0)
    time.sleep(0.02)
    print("still there", os.waitpid(tracee, os.WNOHANG)[0])
tracer = os.fork()
if tracer == 0:
    print("last", attach(tracee))
    os.waitpid(tracee, 0)
    os.kill(tracee, signal.SIGKILL)
    print("told", os.waitstatus_to_exitcode(os.waitpid(tracee, 0)[1]))
    os._exit(0)
os.waitpid(tracer, 0)
print("parent", os.waitstatus_to_exitcode(os.waitpid(tracee, 0)[1]))
