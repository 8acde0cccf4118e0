"""Three hundred random sends and receives of one queue: what comes out, and every errno."""

import sys

from workloads import guest

state = [int(sys.argv[1]) if len(sys.argv) > 1 else 987654321]


def rnd(n):
    state[0] = (state[0] * 1103515245 + 12345) % (1 << 31)
    return (state[0] >> 8) % n


def step(q, number):
    if rnd(2):
        size = (0, 1, 100, 5000, 8192, 8193)[rnd(6)]
        mtype = rnd(6) if rnd(10) else -rnd(3)
        try:
            guest.msgsnd(q, mtype, bytes([number % 256]) * size, guest.IPC_NOWAIT)
            return ("sent", mtype, size)
        except OSError as error:
            return ("not sent", mtype, size, error.errno)
    size = (0, 1, 99, 100, 8192)[rnd(5)]
    mtype = rnd(11) - 5
    flags = guest.IPC_NOWAIT
    for flag in (guest.MSG_NOERROR, guest.MSG_EXCEPT, guest.MSG_COPY):
        if rnd(4) == 0:
            flags |= flag
    try:
        got, text = guest.msgrcv(q, size, mtype, flags)
        return ("got", mtype, got, len(text), text[:1])
    except OSError as error:
        return ("nothing", mtype, error.errno)


q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
results = []
for number in range(300):
    results.append(step(q, number))
    if number % 10 == 9:
        print(results, guest.msgctl(q, guest.IPC_STAT))
        results.clear()
guest.msgctl(q, guest.IPC_RMID)
