"""Who may signal whom: real or effective id of one, real or saved of the other, or root."""

import os
import signal

A, B, C = 1001, 1002, 1003
TARGETS = ((A, A, A), (A, B, B), (B, A, B), (B, B, A), (B, B, B), (0, 0, 0))
SENDERS = ((A, A, A), (A, C, C), (C, A, C), (C, C, A), (0, C, C), (C, C, 0), (C, 0, C))
ready = os.pipe()


def set_ids(ids):
    os.setresuid(ids[0], ids[1], ids[2])


def target(ids):
    pid = os.fork()
    if pid == 0:
        set_ids(ids)
        os.write(ready[1], b"r")
        while True:
            signal.pause()
    os.read(ready[0], 1)
    return pid


pids = []
for ids in TARGETS:
    pids.append(target(ids))
for ids in SENDERS:
    sender = os.fork()
    if sender == 0:
        set_ids(ids)
        row = []
        for pid in pids:
            for number in (0, signal.SIGCONT, 99):
                try:
                    os.kill(pid, number)
                    row.append(0)
                except OSError as error:
                    row.append(error.errno)
        print(ids, row)
        os.setsid()
        row = []
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
                row.append(0)
            except OSError as error:
                row.append(error.errno)
        print("SIGCONT from another session", row)
        os._exit(0)
    os.waitpid(sender, 0)
for pid in pids:
    os.kill(pid, signal.SIGKILL)
    print(os.waitpid(pid, 0)[1])
