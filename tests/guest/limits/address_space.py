"""RLIMIT_AS bounds all mappings, RLIMIT_DATA private writable ones: ENOMEM above them."""

import mmap
import os
import resource

MIB = 1 << 20
PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
kept = []
SHARED = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS


def attempt(name, size, flags):
    try:
        m = mmap.mmap(-1, size, flags=flags)
        print(name, "ok")
        kept.append(m)
        return m
    except OSError as error:
        print(name, error.errno)
        return None


def limits(which):
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(which, (3000 * MIB, 3000 * MIB))
        attempt("too much at once", 4000 * MIB, PRIVATE)
        first = attempt("a third", 1200 * MIB, PRIVATE)
        attempt("two thirds", 1200 * MIB, PRIVATE)
        attempt("too much together", 1200 * MIB, PRIVATE)
        shared = attempt("shared", 1200 * MIB, SHARED)
        attempt("a little", 64 * MIB, PRIVATE)
        if first is not None:
            first.close()
        attempt("after giving back", 1200 * MIB, PRIVATE)
        if shared is not None:
            shared.close()
        child = os.fork()
        if child == 0:
            attempt("a child has the same limit", 1200 * MIB, PRIVATE)
            os._exit(0)
        os.waitpid(child, 0)
        resource.setrlimit(which, (0, 3000 * MIB))
        attempt("nothing more", 4096, PRIVATE)
        resource.setrlimit(which, (3000 * MIB, 3000 * MIB))
        attempt("a little more", 4096, PRIVATE)
        os._exit(0)
    os.waitpid(pid, 0)


print("address space")
limits(resource.RLIMIT_AS)
print("data")
limits(resource.RLIMIT_DATA)
