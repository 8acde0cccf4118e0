"""Threads start programs at once; one is not there, and only its caller hears of it."""

import os
import threading

results = []
lock = threading.Lock()


def start(path):
    try:
        pid = os.posix_spawn(path, [path], {})
        text = f"status {os.waitpid(pid, 0)[1]}"
    except FileNotFoundError:
        text = "not there"
    with lock:
        results.append(text)


threads = []
for path in ("/bin/true", "/bin/false", "/bin/nothing", "/bin/true"):
    thread = threading.Thread(target=start, args=(path,))
    threads.append(thread)
    thread.start()
for thread in threads:
    thread.join()
print(sorted(results))
