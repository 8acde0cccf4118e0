"""Reading and writing outside a mapping, and after it was closed."""

import mmap

memory = mmap.mmap(-1, 100, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
print(len(memory), memory[-1], memory[:5])
for index in (100, -101):
    try:
        memory[index] = 1
    except IndexError:
        print("outside", index)
try:
    memory[0:4] = b"too long"
except (IndexError, ValueError):
    print("another length")
try:
    memory[0] = 256
except (ValueError, OverflowError, TypeError):
    print("not a byte")
memory.close()
try:
    memory[0] = 1
except ValueError:
    print("closed")
