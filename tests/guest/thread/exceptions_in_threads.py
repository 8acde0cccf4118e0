"""An exception ends its thread with a traceback, not the process; SystemExit ends it silently."""

import sys
import threading

done = []


def fail(number):
    done.append(number)
    if number == 0:
        raise ValueError("no good")
    if number == 1:
        sys.exit(3)
    if number == 2:
        [][1]
    if number == 3:
        raise SystemExit("text")
    try:
        {}["key"]
    except KeyError:
        raise RuntimeError("in the handler")  # noqa: B904


for number in range(5):
    thread = threading.Thread(target=fail, args=(number,), name=f"T{number}")
    thread.start()
    thread.join()
    print(number, thread.is_alive())
wrong = threading.Thread(target=fail, args=(), name="wrong")
wrong.start()
wrong.join()
print(done)
