"""Three writers and two readers of one pipe, exclusive wake-ups: every byte arrives once."""

import os

data_read, data_write = os.pipe()
sum_read, sum_write = os.pipe()
writers = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        os.close(data_read)
        for _ in range(5):
            os.write(data_write, bytes([number + 1]))
        os._exit(0)
    writers.append(pid)
readers = []
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        os.close(data_write)
        total = 0
        while True:
            data = os.read(data_read, 1)
            if not data:
                break
            total += data[0]
        os.write(sum_write, bytes([total]))
        os._exit(0)
    readers.append(pid)
os.close(data_read)
os.close(data_write)
for pid in writers:
    assert os.waitpid(pid, 0)[1] == 0
total = 0
for pid in readers:
    assert os.waitpid(pid, 0)[1] == 0
    total += os.read(sum_read, 1)[0]
print("sum", total)
