"""MADV_DONTFORK: a child does not have those pages and dies if it looks; MADV_DOFORK undoes it."""

import mmap
import os


def looks(m, pages):
    ends = []
    for page in range(pages):
        ends.append(look(m, page))
    return ends


def look(m, page):
    pid = os.fork()
    if pid == 0:
        print("child sees", m[page * mmap.PAGESIZE])
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


m = mmap.mmap(-1, 4 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for page in range(4):
    m[page * mmap.PAGESIZE] = 10 + page
m.madvise(mmap.MADV_DONTFORK, mmap.PAGESIZE, 2 * mmap.PAGESIZE)
print(looks(m, 4))
print("parent has", m[0], m[mmap.PAGESIZE], m[2 * mmap.PAGESIZE], m[3 * mmap.PAGESIZE])
m[mmap.PAGESIZE] = 99
m.madvise(mmap.MADV_DOFORK, mmap.PAGESIZE, mmap.PAGESIZE)
print(looks(m, 4))
s = mmap.mmap(-1, 2 * mmap.PAGESIZE)
s[0] = 7
s.madvise(mmap.MADV_DONTFORK, 0, mmap.PAGESIZE)
print(looks(s, 2), s[0])
