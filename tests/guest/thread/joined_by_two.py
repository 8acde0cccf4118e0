"""Two threads join a third; an exception ends one join, and the other returns, too."""

import signal
import threading
import time


def work():
    time.sleep(0.5)


def join_it(thread, done):
    thread.join()
    done.append(thread.is_alive())


def ring(number, frame):
    raise KeyError("ring")


def main():
    signal.signal(signal.SIGALRM, ring)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    done = []
    other = threading.Thread(target=join_it, args=(thread, done))
    other.start()
    time.sleep(0.05)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        thread.join()
    except KeyError:
        print("left")
    other.join()
    print(done, thread.is_alive())


if __name__ == "__main__":
    main()
