"""Two threads wait for one child: one gets it, the other ECHILD."""

import os
import threading
import time

results = []
lock = threading.Lock()


def wait_for(pid):
    try:
        reaped, status = os.waitpid(pid, 0)
        text = f"reaped {reaped == pid} {status >> 8}"
    except ChildProcessError as error:
        text = f"errno {error.errno}"
    with lock:
        results.append(text)


read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(write_end)
    os.read(read_end, 1)
    os._exit(19)
threads = []
for _ in range(2):
    thread = threading.Thread(target=wait_for, args=(pid,))
    threads.append(thread)
    thread.start()
time.sleep(0.01)
os.close(write_end)
for thread in threads:
    thread.join()
print(sorted(results))
