"""A pipe's end is seen when its last holder dies, however it dies; bytes written before stay."""

import os
import signal

for way in range(6):
    r, w = os.pipe()
    gr, gw = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        os.close(gw)
        inner = os.fork()
        os.write(w, b"in" if inner == 0 else b"out")
        if inner == 0:
            os._exit(0)
        if way == 0:
            os._exit(1)
        if way == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if way == 2:
            os.abort()
        if way == 3:
            os.execv("/bin/true", ["true"])
        if way == 4:
            os.read(gr, 1)
        if way == 5:
            raise SystemExit(9)
        os._exit(33)
    os.close(w)
    os.close(gr)
    data = b""
    if way == 4:
        os.kill(pid, signal.SIGSTOP)
        os.waitpid(pid, os.WUNTRACED)
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
    while True:
        part = os.read(r, 100)
        if not part:
            break
        data += part
    print(way, len(data) if way != 4 else 0, os.waitpid(pid, 0)[1])
    os.close(r)
    os.close(gw)
