"""A pipe is made smaller and larger while it is used: all bytes come, in their order."""

import fcntl
import os

r, w = os.pipe()
sizer = os.fork()
if sizer == 0:
    for size in (8192, 65536, 16384):
        try:
            fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, size)
        except OSError:
            pass
    os._exit(0)
writer = os.fork()
if writer == 0:
    for number in range(3):
        os.write(w, bytes([number]) * 4096)
    os._exit(0)
os.close(w)
data = b""
while True:
    part = os.read(r, 5000)
    if not part:
        break
    data += part
print(os.waitpid(sizer, 0)[1], os.waitpid(writer, 0)[1], len(data), data[0], data[5000], data[-1])
