"""PR_SET_NAME names one thread, cut to 15 bytes; fork copies the name, exec gives another."""

import os
import sys
import threading

from workloads.guest import PR_GET_NAME, PR_SET_NAME, prctl


def thread():
    print("thread starts as", prctl(PR_GET_NAME))
    prctl(PR_SET_NAME, "worker")
    print(prctl(PR_GET_NAME))


if len(sys.argv) > 1:
    print("after exec", prctl(PR_GET_NAME))
    sys.exit(0)
for name in (
    "short",
    "exactly15bytes!",
    "more than fifteen bytes",
    "",
    "a b\tc",
    "ümläüte über alles",
):
    print(prctl(PR_SET_NAME, name), repr(prctl(PR_GET_NAME).encode()))
prctl(PR_SET_NAME, "parent")
worker = threading.Thread(target=thread)
worker.start()
worker.join()
print(prctl(PR_GET_NAME))
pid = os.fork()
if pid == 0:
    print("child", prctl(PR_GET_NAME))
    prctl(PR_SET_NAME, "child")
    print(prctl(PR_GET_NAME))
    os._exit(0)
os.waitpid(pid, 0)
print(prctl(PR_GET_NAME))
pid = os.fork()
if pid == 0:
    os.execv("/bin/echo", ["echo", "done"])
os.waitpid(pid, 0)
