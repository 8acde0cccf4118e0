"""A message goes to the first sleeping receiver it suits; one with too little room gets E2BIG."""

import os
import time

from workloads import guest


def receiver(size, mtype, flags):
    pid = os.fork()
    if pid == 0:
        try:
            mtype, text = guest.msgrcv(q, size, mtype, flags)
            os._exit(mtype * 10 + len(text))
        except OSError as error:
            os._exit(200 + error.errno)
    time.sleep(0.01)
    return pid


def ended(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
two = receiver(9, 2, 0)
small = receiver(1, 0, 0)
cut = receiver(1, 0, guest.MSG_NOERROR)
low = receiver(9, -3, 0)
except_four = receiver(9, 4, guest.MSG_EXCEPT)
guest.msgsnd(q, 4, b"abc")
print("too small", ended(small), "cut", ended(cut))
guest.msgsnd(q, 4, b"ab")
print("nobody wants it", guest.msgctl(q, guest.IPC_STAT))
guest.msgsnd(q, 2, b"ab")
print("type 2", ended(two))
guest.msgsnd(q, 5, b"a")
print("not 4", ended(except_four))
guest.msgsnd(q, 3, b"abcd")
print("up to 3", ended(low))
print(guest.msgrcv(q, 9), guest.msgctl(q, guest.IPC_RMID))
