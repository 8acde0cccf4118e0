"""poll on a pidfd is quiet when only the leader ends; it tells of the last thread's end."""

import os
import select
import threading

from workloads import guest

r, w = os.pipe()


def rest():
    os.read(r, 1)
    guest.exit_thread(5)


pid = os.fork()
if pid == 0:
    threading.Thread(target=rest).start()
    guest.exit_thread(9)
fd = os.pidfd_open(pid)
poll = select.poll()
poll.register(fd, select.POLLIN)
print(poll.poll(50))
os.write(w, b"x")
print(len(poll.poll()))
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
