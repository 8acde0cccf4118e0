"""Two threads wait for the same zombie: one reaps it, the other is told that there is no child."""

import os
import threading

found = ["", ""]
pid = os.fork()
if pid == 0:
    for _ in range(20):
        os.getppid()  # both are waiting by then
    os._exit(0)


def wait(number):
    try:
        os.waitpid(pid, 0)
        found[number] = "reaped"
    except ChildProcessError:
        found[number] = "no child"


threads = [threading.Thread(target=wait, args=(number,)) for number in (0, 1)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("first:", found[0], "second:", found[1])
