"""A writer of a full pipe sleeps; the reader drains some and leaves: the writer gets EPIPE."""

import os

data_read, data_write = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(data_read)
    done = 0
    try:
        while done < 40:
            os.write(data_write, bytes(4096))
            done += 1
    except BrokenPipeError:
        os._exit(50)
    os._exit(done)
os.close(data_write)
total = 0
while total < 20 * 4096:
    total += len(os.read(data_read, 8192))
os.close(data_read)
reaped, status = os.waitpid(pid, 0)
print("broken", reaped == pid, status >> 8)
