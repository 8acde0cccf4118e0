"""Two threads join a third while it ends: both go on."""

import threading

done = []


def nothing():
    pass


def join(thread):
    thread.join()
    done.append(1)


last = threading.Thread(target=nothing)
last.start()
threads = []
for _ in range(2):
    thread = threading.Thread(target=join, args=(last,))
    threads.append(thread)
    thread.start()
for thread in threads:
    thread.join()
print("joined by", len(done), "alive", last.is_alive())
