"""O_NONBLOCK set later makes the ends non-blocking one by one, for all who share the file."""

import os

r, w = os.pipe()
os.set_blocking(r, False)
print(os.get_blocking(r), os.get_blocking(w))
try:
    os.read(r, 1)
except BlockingIOError as error:
    print(error)
os.set_blocking(w, False)
print(os.write(w, bytes(70000)))
try:
    os.write(w, b"x")
except BlockingIOError as error:
    print(error)
print(len(os.read(r, 4096)), os.write(w, bytes(5000)))
pid = os.fork()
if pid == 0:
    os.set_blocking(w, True)
    os._exit(0)
os.waitpid(pid, 0)
print(os.get_blocking(w))
pid = os.fork()
if pid == 0:
    os.close(w)
    os.set_blocking(r, True)
    total = 0
    while total < 65536 + 4096:
        total += len(os.read(r, 4096))
    os._exit(total == 65536 + 4096)
os.close(r)
print(os.write(w, bytes(4096)))
os.close(w)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
