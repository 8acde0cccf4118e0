"""Messages are sent, received and the queue removed at once: nobody sleeps for ever."""

import errno
import os

from workloads import guest

q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
children = []
for number in range(4):
    pid = os.fork()
    if pid == 0:
        try:
            for _ in range(3):
                if number < 2:
                    guest.msgsnd(q, 1 + number, bytes(6000))
                else:
                    mtype, text = guest.msgrcv(q, 6000, number - 1)
                    if mtype != number - 1 or len(text) != 6000:
                        os._exit(2)
        except OSError as error:
            if error.errno not in (errno.EIDRM, errno.EINVAL):
                os._exit(1)
        os._exit(0)
    children.append(pid)
for _ in range(4):
    os.sched_yield()
guest.msgctl(q, guest.IPC_RMID)
statuses = []
for pid in children:
    statuses.append(os.waitpid(pid, 0)[1])
print(statuses)
