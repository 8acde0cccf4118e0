"""A descriptor shared by many processes ends with the last of them, however each one goes."""

import os
import signal

r, w = os.pipe()
gates = []
pids = []
for way in ("exit", "kill", "exec", "close"):
    gate = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(gate[0], 1)
        if way == "exec":
            os.execv("/bin/sleep", ["sleep", "1000"])
        if way == "close":
            os.close(w)
            signal.pause()
        if way == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    gates.append(gate[1])
    pids.append(pid)
os.close(w)
os.set_blocking(r, False)


def ended():
    try:
        return os.read(r, 1) == b""
    except BlockingIOError:
        return False


for number, gate in enumerate(gates):
    print(number, ended())
    os.write(gate, b"x")
    if number < 2:
        os.waitpid(pids[number], 0)
os.set_blocking(r, True)
print("the last one", os.read(r, 1))
for pid in pids[2:]:
    os.kill(pid, signal.SIGKILL)
    print(os.waitpid(pid, 0)[1])
