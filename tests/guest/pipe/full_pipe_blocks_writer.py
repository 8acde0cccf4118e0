"""A pipe holds 65536 bytes; a writer of more goes on when somebody reads."""

import os

read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(read_end)
    written = os.write(write_end, b"a" * 65536)
    written += os.write(write_end, b"b" * 70000)
    print("written", written)
    os._exit(0)
os.close(write_end)
counts = [0, 0]
while True:
    data = os.read(read_end, 5000)
    if not data:
        break
    counts[0] += data.count(b"a")
    counts[1] += data.count(b"b")
print("read", counts, os.waitpid(pid, 0)[1])
