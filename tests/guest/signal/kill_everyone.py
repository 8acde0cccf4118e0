"""kill(-1) reaches every process the sender may signal, zombies included, but not the sender."""

import os
import signal
import time

UID = 31234
ready = os.pipe()
pids = []
for number in range(4):
    pid = os.fork()
    if pid == 0:
        if number == 2:
            os.setsid()
        elif number == 3:
            os.setpgid(0, 0)
        os.setuid(UID)
        os.write(ready[1], b"r")
        time.sleep(1000)
    os.read(ready[0], 1)
    pids.append(pid)
sender = os.fork()
if sender == 0:
    os.setuid(UID)
    os.kill(-1, signal.SIGUSR1)
    os._exit(11)
print("sender", os.waitpid(sender, 0)[1] >> 8)
for pid in pids:
    print(os.waitpid(pid, 0)[1])
sender = os.fork()
if sender == 0:
    os.setuid(UID)
    try:
        os.kill(-1, signal.SIGUSR1)
    except OSError as error:
        os._exit(error.errno)
    os._exit(0)
print("nobody left", os.waitpid(sender, 0)[1] >> 8)
