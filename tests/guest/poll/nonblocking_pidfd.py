"""pidfd nonblock"""

import os
import select

pid = os.fork()
r, w = os.pipe()
if pid == 0:
    os._exit(4)
fd = os.pidfd_open(pid, os.O_NONBLOCK)
p = select.poll()
p.register(fd, select.POLLIN)
p.poll()
i = os.waitid(os.P_PIDFD, fd, os.WEXITED)
print(i.si_status)
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(w)
    os.read(r, 1)
    os._exit(4)
fd = os.pidfd_open(pid, os.O_NONBLOCK)
try:
    os.waitid(os.P_PIDFD, fd, os.WEXITED)
except BlockingIOError as e:
    print(e)
print(os.waitid(os.P_PIDFD, fd, os.WEXITED | os.WNOHANG))
os.set_blocking(fd, True)
os.close(w)
print(os.waitid(os.P_PIDFD, fd, os.WEXITED).si_status)
