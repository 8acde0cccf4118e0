"""join returns when the thread is over, at once if it is, and refuses what cannot end."""

import os
import threading

gate = os.pipe()
log = []
threads = []


def wait_for_byte():
    os.read(gate[0], 1)
    log.append("done")


def join_myself():
    try:
        threads[0].join()
    except RuntimeError as error:
        log.append(str(error))


def ends_with(error):
    log.append("raising")
    raise SystemExit(error)


thread = threading.Thread(target=wait_for_byte)
try:
    thread.join()
except RuntimeError as error:
    print(error)
print(thread.is_alive())
thread.start()
try:
    thread.start()
except RuntimeError as error:
    print(error)
thread.join(0.01)
print(thread.is_alive(), thread.join(timeout=0))
os.write(gate[1], b"x")
thread.join()
thread.join()
print(thread.is_alive(), log)
threads.append(threading.Thread(target=join_myself))
threads[0].start()
threads[0].join()
print(log[-1])
thread = threading.Thread(target=ends_with, args=("a text that nobody sees",))
thread.start()
thread.join()
print(log[-1], thread.is_alive())
