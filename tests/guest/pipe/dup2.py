"""dup and dup2: one open file under several numbers; dup2 closes what was there."""

import os

first_read, first_write = os.pipe()
second_read, second_write = os.pipe()
copy = os.dup(first_write)
os.write(copy, b"by the copy")
print(os.read(first_read, 100))
print("result", os.dup2(first_write, second_write) == second_write)
print("its old pipe has no writer:", os.read(second_read, 100))
os.close(first_write)
os.close(copy)
os.write(second_write, b"by the second")
print(os.read(first_read, 100))
os.dup2(second_write, second_write)
os.close(second_write)
print("end of file:", os.read(first_read, 100))
try:
    os.dup2(second_write, 1)
except OSError as error:
    print("not open: errno", error.errno)
