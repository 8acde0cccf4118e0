"""While a script runs its interpreter is busy, not the script's own file."""

import os
import time

script = f"/tmp/running-{time.time_ns()}"
fd = os.open(script, os.O_CREAT | os.O_WRONLY, 0o755)
os.write(fd, b"#!/bin/cat -\n")
os.close(fd)
inward, outward = os.pipe(), os.pipe()
pid = os.fork()
if pid == 0:
    os.dup2(inward[0], 0)
    os.dup2(outward[1], 1)
    os.close(inward[1])
    os.execv(script, [script])
os.close(outward[1])
os.write(inward[1], b"it runs\n")
print(os.read(outward[0], 100))
fd = os.open(script, os.O_WRONLY)
print("opened", os.write(fd, b"#!/bin/echo "))
os.close(fd)
try:
    os.close(os.open("/bin/cat", os.O_WRONLY))
    print("not busy")
except OSError as error:
    print(error.errno, error.filename)
os.close(inward[1])
print(os.read(outward[0], 100))
print(os.waitpid(pid, 0)[1])
