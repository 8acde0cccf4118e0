"""Parent and child write to the same pages at once, and each sees what it wrote."""

import mmap
import os

PAGES = 4
memory = mmap.mmap(-1, PAGES * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for page in range(PAGES):
    memory[page * mmap.PAGESIZE] = 1
children = []
for number in range(2, 5):
    pid = os.fork()
    if pid == 0:
        for page in range(PAGES):
            memory[page * mmap.PAGESIZE] = number
        for page in range(PAGES):
            assert memory[page * mmap.PAGESIZE] == number
        os._exit(number)
    children.append(pid)
for page in range(PAGES):
    memory[page * mmap.PAGESIZE] = 9
statuses = []
for pid in children:
    statuses.append(os.waitpid(pid, 0)[1] >> 8)
mine = []
for page in range(PAGES):
    mine.append(memory[page * mmap.PAGESIZE])
print(statuses, mine)
