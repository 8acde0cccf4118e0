"""Descriptor tables shared with CLONE_FILES: what one process opens or closes, the other sees."""

import os
import signal

from workloads import guest

r, w = os.pipe()
go_r, go_w = os.pipe()
pid = guest.clone(guest.CLONE_FILES | signal.SIGCHLD)
if pid == 0:
    fd = os.open("/dev/null", os.O_RDONLY)
    os.close(r)
    os.write(go_w, b"%d" % fd)
    os._exit(0)
fd = int(os.read(go_r, 10))
os.waitpid(pid, 0)
print(os.fstat(fd).st_size)
try:
    os.fstat(r)
except OSError as error:
    print(error)
pid = guest.clone(guest.CLONE_FILES | signal.SIGCHLD)
if pid == 0:
    os.close(fd)
    os._exit(0)
os.waitpid(pid, 0)
try:
    os.fstat(fd)
except OSError as error:
    print(error)
