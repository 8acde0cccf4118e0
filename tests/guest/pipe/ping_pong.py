"""Two processes hand a growing number back and forth over two pipes."""

import os

there_read, there_write = os.pipe()
back_read, back_write = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(there_write)
    os.close(back_read)
    while True:
        data = os.read(there_read, 16)
        if not data:
            os._exit(0)
        os.write(back_write, str(int(data) + 1).encode())
value = 0
os.close(there_read)
for _ in range(100):
    os.write(there_write, str(value).encode())
    value = int(os.read(back_read, 16))
os.close(there_write)
print("value", value, "status", os.waitpid(pid, 0)[1])
