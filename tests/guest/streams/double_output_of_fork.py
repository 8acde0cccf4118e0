"""What is in a buffer is copied by fork, lost by os._exit, flushed by sys.exit and at the end."""

import os
import sys

print("before")
sys.stdout.write("half a line ")
pid = os.fork()
if pid == 0:
    print("child leaves")
    os._exit(0)
os.waitpid(pid, 0)
pid = os.fork()
if pid == 0:
    print("child exits")
    sys.exit(3)
print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
os.write(1, b"past the buffer\n")
pid = os.fork()
if pid == 0:
    print("never seen, unless unbuffered")
    os.abort()
print("signal", os.WTERMSIG(os.waitpid(pid, 0)[1]))
print("to stderr", file=sys.stderr)
sys.stdout.flush()
print("end", end="")
