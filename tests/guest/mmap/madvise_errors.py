"""madvise: what is refused, by the kernel with an errno and by CPython with an exception."""

import mmap

m = mmap.mmap(-1, 4 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def attempt(name, advice, start, length):
    try:
        print(name, m.madvise(advice, start, length))
    except OSError as error:
        print(name, "errno", error.errno)
    except ValueError as error:
        print(name, error)


attempt("unknown advice", 5, 0, mmap.PAGESIZE)
attempt("unknown advice", 1000, 0, mmap.PAGESIZE)
attempt("negative advice", -1, 0, mmap.PAGESIZE)
attempt("start inside a page", mmap.MADV_DONTFORK, 100, mmap.PAGESIZE)
attempt("length is rounded up", mmap.MADV_DONTFORK, 0, 1)
attempt("no length", mmap.MADV_DONTFORK, 0, 0)
attempt("start beyond the end", mmap.MADV_NORMAL, 4 * mmap.PAGESIZE, 1)
attempt("negative start", mmap.MADV_NORMAL, -1, 1)
attempt("negative length", mmap.MADV_NORMAL, 0, -1)
attempt("longer than the mapping", mmap.MADV_NORMAL, 0, 100 * mmap.PAGESIZE)
attempt("remove of private memory", mmap.MADV_REMOVE, 0, mmap.PAGESIZE)
attempt("random", mmap.MADV_RANDOM, 0, mmap.PAGESIZE)
attempt("sequential", mmap.MADV_SEQUENTIAL, 0, mmap.PAGESIZE)
attempt("willneed", mmap.MADV_WILLNEED, 0, mmap.PAGESIZE)
attempt("dontdump", mmap.MADV_DONTDUMP, 0, mmap.PAGESIZE)
attempt("dodump", mmap.MADV_DODUMP, 0, mmap.PAGESIZE)
m.close()
try:
    m.madvise(mmap.MADV_NORMAL)
except ValueError as error:
    print(error)
