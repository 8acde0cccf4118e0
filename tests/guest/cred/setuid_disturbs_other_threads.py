"""setuid() reaches the other threads by a signal: it ends pause() in them, and nothing else."""

import os
import signal
import threading
import time

told = []


def pauses():
    signal.pause()
    told.append("pause")


def sleeps():
    time.sleep(0.3)
    told.append("sleep")


def reads(fd):
    told.append(os.read(fd, 1).decode())


def waits(event):
    told.append(str(event.wait(5)))


def main():
    reader, writer = os.pipe()
    event = threading.Event()
    wakeup, notes = os.pipe()
    os.set_blocking(notes, False)
    signal.set_wakeup_fd(notes)
    threads = [
        threading.Thread(target=pauses),
        threading.Thread(target=sleeps),
        threading.Thread(target=reads, args=(reader,)),
        threading.Thread(target=waits, args=(event,)),
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    os.setuid(0)
    threads[0].join()
    print(told)
    os.write(writer, b"x")
    event.set()
    for thread in threads:
        thread.join()
    print(sorted(told))
    paused = threading.Thread(target=pauses)
    paused.start()
    time.sleep(0.05)
    os.setresuid(1000, 1000, 1000)
    paused.join()
    paused = threading.Thread(target=pauses)
    paused.start()
    time.sleep(0.05)
    try:
        os.setuid(0)
    except PermissionError:
        print("not allowed, but told")
    paused.join()
    print(len(told), os.getresuid())
    os.set_blocking(wakeup, False)
    try:
        print(os.read(wakeup, 10))
    except BlockingIOError:
        print("no signal was noted")
    signal.set_wakeup_fd(-1)


if __name__ == "__main__":
    main()
