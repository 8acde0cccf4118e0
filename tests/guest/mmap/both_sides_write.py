"""Copy on write in both directions and over two generations: each sees its own bytes."""

import mmap
import os

PAGES = 8
memory = mmap.mmap(-1, PAGES * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def fill(first, last, value):
    for page in range(first, last):
        memory[page * mmap.PAGESIZE + page] = value


def show(name):
    values = []
    for page in range(PAGES):
        values.append(memory[page * mmap.PAGESIZE + page])
    print(name, values)


fill(0, PAGES, 1)
read_end, write_end = os.pipe()
child = os.fork()
if child == 0:
    os.read(read_end, 1)
    fill(0, 4, 2)
    grandchild = os.fork()
    if grandchild == 0:
        fill(2, 6, 3)
        show("grandchild")
        os._exit(0)
    os.waitpid(grandchild, 0)
    show("child")
    os._exit(0)
fill(3, 8, 4)
os.write(write_end, b"g")
os.waitpid(child, 0)
show("parent")
