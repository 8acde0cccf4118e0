"""Two writers into one pipe: records come whole, and all of them."""

import os

read_end, write_end = os.pipe()
for letter in (b"x", b"y"):
    if os.fork() == 0:
        os.close(read_end)
        for _ in range(50):
            os.write(write_end, letter * 40)
        os._exit(0)
os.close(write_end)
data = b""
while True:
    piece = os.read(read_end, 4096)
    if not piece:
        break
    data += piece
whole = True
for start in range(0, len(data), 40):
    record = data[start : start + 40]
    whole = whole and record in (b"x" * 40, b"y" * 40)
print(len(data), data.count(b"x"), data.count(b"y"), "whole records", whole)
print(os.wait()[1], os.wait()[1])
