"""An exception that ends a thread is told on standard error; the process goes on."""

import threading


def fail(kind):
    if kind == "value":
        raise ValueError("no such value")
    raise OSError(2, "No such file or directory")


for kind in ("value", "os"):
    thread = threading.Thread(target=fail, args=(kind,))
    thread.start()
    thread.join()
    print(kind, thread.is_alive())
