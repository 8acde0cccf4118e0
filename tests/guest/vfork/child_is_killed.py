"""Who waits for a CLONE_VFORK child goes on when that is killed, and is killed itself."""

import os
import signal
import time

from workloads import guest

read_end, write_end = os.pipe()
middle = os.fork()
if middle == 0:
    child = guest.clone(guest.CLONE_VFORK | signal.SIGCHLD)
    if child == 0:
        os.write(write_end, b"%d" % os.getpid())
        time.sleep(30)
        os._exit(1)
    os._exit(7 if os.waitpid(child, 0)[1] == signal.SIGKILL else 8)
child = int(os.read(read_end, 20))
os.kill(child, signal.SIGKILL)
print("killed child", os.waitstatus_to_exitcode(os.waitpid(middle, 0)[1]))

middle = os.fork()
if middle == 0:
    signal.signal(signal.SIGTERM, lambda sig, frame: os._exit(10))
    child = guest.clone(guest.CLONE_VFORK | signal.SIGCHLD)
    if child == 0:
        os.write(write_end, b"%d" % os.getpid())
        time.sleep(0.05)
        os.write(write_end, b"%d" % (os.getppid() == 1))
        os._exit(0)
    os._exit(9)
os.read(read_end, 20)
os.kill(middle, signal.SIGTERM)
time.sleep(0.01)
print("waits still", os.waitpid(middle, os.WNOHANG)[0])
os.kill(middle, signal.SIGKILL)
print("killed parent", os.waitstatus_to_exitcode(os.waitpid(middle, 0)[1]))
print("orphan of init", os.read(read_end, 20))
