"""One thread starts programs, another reaps whatever ends; both lists agree at the end."""

import os
import threading

started = []
reaped = {}
lock = threading.Lock()
more = os.pipe()


def start():
    for code in range(12):
        if code % 3 == 0:
            pid = os.posix_spawn("/bin/sh", ["sh", "-c", f"exit {code}"], {})
        else:
            pid = os.fork()
            if pid == 0:
                os._exit(code)
        with lock:
            started.append(pid)
        os.write(more[1], b"x")
    os.close(more[1])


def reap():
    while os.read(more[0], 1):
        pid, status = os.wait()
        with lock:
            reaped[pid] = status >> 8


threads = [threading.Thread(target=start), threading.Thread(target=reap)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print([reaped[pid] for pid in started])
try:
    os.wait()
except ChildProcessError as error:
    print(error)
