"""The session and group of a leader that has died go on; nobody is hung up without a terminal."""

import os
import signal
import time

ready = os.pipe()
gates = (os.pipe(), os.pipe())
leader = os.fork()
if leader == 0:
    os.setsid()
    for number in range(2):
        if os.fork() == 0:
            if number:
                os.setpgid(0, 0)
            sid = os.getppid()
            os.write(ready[1], b"r")
            os.read(gates[number][0], 1)
            print(number, os.getsid(0) == sid, os.getpgrp() == (sid, os.getpid())[number])
            try:
                os.setpgid(0, 0 if number == 0 else sid)
                print("moved", os.getpgrp() == (os.getpid(), sid)[number])
            except OSError as error:
                print(error.errno)
            try:
                os.setsid()
            except PermissionError as error:
                print(error.errno)
            os._exit(0)
    os.read(ready[0], 1)
    os.read(ready[0], 1)
    os._exit(0)
print(os.waitpid(leader, 0)[1])
time.sleep(0.05)
for gate in gates:
    os.write(gate[1], b"x")
    time.sleep(0.2)
try:
    os.getsid(leader)
except ProcessLookupError as error:
    print(error.errno)
try:
    os.kill(leader, signal.SIGTERM)
except ProcessLookupError as error:
    print(error.errno)
