"""waitid on a non-blocking pidfd gives EAGAIN while the process lives, but not with WNOHANG."""

import os
import select

pid = os.fork()
if pid == 0:
    os._exit(4)
fd = os.pidfd_open(pid, os.O_NONBLOCK)
poll = select.poll()
poll.register(fd, select.POLLIN)
poll.poll()
print(os.waitid(os.P_PIDFD, fd, os.WEXITED).si_status)
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(w)
    os.read(r, 1)
    os._exit(4)
fd = os.pidfd_open(pid, os.O_NONBLOCK)
try:
    os.waitid(os.P_PIDFD, fd, os.WEXITED)
except BlockingIOError as error:
    print(error)
print(os.waitid(os.P_PIDFD, fd, os.WEXITED | os.WNOHANG))
os.set_blocking(fd, True)
os.close(w)
print(os.waitid(os.P_PIDFD, fd, os.WEXITED).si_status)
