"""An exception nobody catches in a thread ends that thread only; SystemExit does so in silence."""

import os
import sys
import threading

log = []


def fails(kind):
    log.append(kind)
    if kind == "error":
        raise ValueError("in a thread")
    if kind == "exit":
        sys.exit("nobody sees this")
    if kind == "call":
        os.close(-1)
    if kind == "interrupt":
        raise KeyboardInterrupt
    log.append("went on")


os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
for kind in ("error", "exit", "call", "interrupt", "nothing"):
    thread = threading.Thread(target=fails, args=(kind,))
    thread.start()
    thread.join()
    print(kind, thread.is_alive())
print(log)
pid = os.fork()
if pid == 0:
    thread = threading.Thread(target=fails, args=("error",))
    thread.start()
    sys.exit(6)
print(os.waitpid(pid, 0)[1] >> 8)
