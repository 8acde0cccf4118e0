"""A socket lives on in children; over exec only if it is inheritable. The last close counts."""

import os
import socket
import sys

if len(sys.argv) > 1:
    fd = int(sys.argv[1])
    try:
        os.write(fd, b"from the new program")
    except OSError as error:
        print(error.errno)
    sys.exit(0)
a, b = socket.socketpair()
pid = os.fork()
if pid == 0:
    b.close()
    a.send(b"child")
    os._exit(0)
os.waitpid(pid, 0)
a.close()
print(b.recv(10), b.recv(10))
for inheritable in (False, True):
    a, b = socket.socketpair()
    os.set_inheritable(a.fileno(), inheritable)
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-u", __file__, str(a.fileno())])
    os.waitpid(pid, 0)
    a.close()
    print(inheritable, b.recv(100))
    b.close()
