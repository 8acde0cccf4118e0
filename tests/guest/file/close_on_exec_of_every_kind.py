"""Only inheritable descriptors pass exec, whatever they stand for; the others are closed there."""

import os
import select
import socket
import sys
import time

if len(sys.argv) > 1:
    for number in range(3, 20):
        try:
            mode = os.fstat(number).st_mode
            print(number, f"{mode >> 12:o}", os.get_inheritable(number))
        except OSError:
            pass
    sys.exit(0)
path = f"/tmp/exec{time.time_ns()}"
os.mkfifo(path)
for number in range(3, 20):
    try:
        os.close(number)
    except OSError:
        pass
r, w = os.pipe()
p, q = os.pipe2(0)
a, b = socket.socketpair()
e = os.eventfd(0, 0)
e2 = os.eventfd(0)
f = os.open(path, os.O_RDWR)
pid = os.pidfd_open(os.getpid())
folder = os.open("/tmp", os.O_RDONLY)
null = os.open("/dev/null", os.O_RDONLY)
os.set_inheritable(f, True)
os.set_inheritable(b.fileno(), True)
os.set_inheritable(folder, True)
os.set_inheritable(w, True)
child = os.fork()
if child == 0:
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
os.waitpid(child, 0)
os.unlink(path)
# the child's inheritable ends are gone with it: what was close-on-exec as well
os.close(w)
print([mask for _, mask in select.poll().poll(0)], os.read(r, 1))
