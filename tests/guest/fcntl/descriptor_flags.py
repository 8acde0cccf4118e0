"""F_GETFD and F_SETFD belong to the descriptor, F_GETFL and F_SETFL to the open file."""

import fcntl
import os

r, w = os.pipe()
print(fcntl.fcntl(r, fcntl.F_GETFD), fcntl.fcntl(r, fcntl.F_SETFD, 0), os.get_inheritable(r))
copy = os.dup(r)
print(os.get_inheritable(copy), os.get_inheritable(r))
print(fcntl.fcntl(copy, fcntl.F_SETFD, 0xFF), fcntl.fcntl(copy, fcntl.F_GETFD))
os.set_inheritable(copy, True)
print(fcntl.fcntl(copy, fcntl.F_GETFD))
os.set_inheritable(copy, False)
print(fcntl.fcntl(copy, fcntl.F_GETFD))
os.set_blocking(copy, False)
print(os.get_blocking(r), fcntl.fcntl(r, fcntl.F_GETFL) == os.O_NONBLOCK)
try:
    os.read(r, 1)
except BlockingIOError as error:
    print(error.errno)
os.set_blocking(r, True)
print(os.get_blocking(copy))
print(fcntl.fcntl(w, fcntl.F_SETFL, os.O_APPEND | os.O_RDWR | os.O_CREAT))
print(fcntl.fcntl(w, fcntl.F_GETFL) == os.O_WRONLY | os.O_APPEND)
child = os.fork()
if child == 0:
    os.set_blocking(r, False)
    os.set_inheritable(r, False)
    os._exit(0)
os.waitpid(child, 0)
print("shared with a child:", os.get_blocking(r), os.get_inheritable(r))
for command in (77, 1, 2, 3, 4):
    try:
        print(fcntl.fcntl(999, command, 0))
    except OSError as error:
        print(command, error.errno)
try:
    fcntl.fcntl(r, 77)
except OSError as error:
    print(error)
for bad in (-1, "x"):
    try:
        fcntl.fcntl(bad, fcntl.F_GETFD)
    except (ValueError, TypeError) as error:
        print(error)
try:
    os.set_blocking(999, True)
except OSError as error:
    print(error)
try:
    os.get_inheritable(999)
except OSError as error:
    print(error)
try:
    os.set_inheritable(999, True)
except OSError as error:
    print(error)
