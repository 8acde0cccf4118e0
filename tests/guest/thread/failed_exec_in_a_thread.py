"""An exec that fails in a thread leaves the other threads alone."""

import os
import threading

gate = os.pipe()
log = []


def wait_for_byte(number):
    os.read(gate[0], 1)
    log.append(number)


def execute(path, argument):
    try:
        os.execv(path, ["x", argument])
    except OSError as error:
        log.append(error.errno)


threads = [threading.Thread(target=wait_for_byte, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
for path, argument in (("/no/such", ""), ("/tmp", ""), ("/bin/true", "a" * 131072)):
    thread = threading.Thread(target=execute, args=(path, argument))
    thread.start()
    thread.join()
print(log, [threads[0].is_alive(), threads[1].is_alive()])
os.write(gate[1], b"xx")
for thread in threads:
    thread.join()
print(sorted(log))
