"""Two writers sleep on a full pipe while readers drain it: all bytes come, in whole pieces."""

import fcntl
import os

PIECE = 4096
r, w = os.pipe()
fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, PIECE)
writers = []
for number in range(2):
    pid = os.fork()
    if pid == 0:
        os.close(r)
        os._exit(os.write(w, bytes([65 + number]) * (2 * PIECE)) // PIECE)
    writers.append(pid)
os.close(w)
counts = {65: 0, 66: 0}
while True:
    part = os.read(r, PIECE)
    if not part:
        break
    for byte in (65, 66):
        counts[byte] += part.count(byte)
statuses = []
for pid in writers:
    statuses.append(os.waitpid(pid, 0)[1] >> 8)
print(statuses, counts[65] == 2 * PIECE, counts[66] == 2 * PIECE)
