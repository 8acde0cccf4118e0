"""Who may signal whom: the sender's real or effective uid, the target's real or saved one."""

import os
import signal


def start(uids):
    """Start a sleeper with these ids."""
    ready_r, ready_w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.setresuid(uids[0], uids[1], uids[2])
        os.write(ready_w, b"x")
        signal.pause()
    os.read(ready_r, 1)
    os.close(ready_r)
    os.close(ready_w)
    return pid


TARGETS = ((0, 0, 0), (71, 71, 71), (71, 72, 73), (72, 71, 72), (72, 72, 71), (73, 73, 73))
SENDERS = ((0, 0, 0), (71, 71, 71), (72, 72, 72), (71, 73, 72), (0, 72, 72), (72, 0, 72))
pids = []
for uids in TARGETS:
    pids.append(start(uids))
for sender in SENDERS:
    pid = os.fork()
    if pid == 0:
        os.setresuid(sender[0], sender[1], sender[2])
        for uids, target in zip(TARGETS, pids):
            results = []
            for sig in (0, signal.SIGCONT, signal.SIGURG):
                try:
                    os.kill(target, sig)
                    results.append("ok")
                except PermissionError:
                    results.append("EPERM")
            print(sender, uids, results)
        os._exit(0)
    os.waitpid(pid, 0)
for pid in pids:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
