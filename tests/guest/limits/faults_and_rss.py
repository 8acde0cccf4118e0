"""Touching memory counts minor faults and raises ru_maxrss, which exec and munmap do not lower."""

import mmap
import os
import resource
import sys

from workloads.guest import touch

PAGES = 3000

if len(sys.argv) > 1:
    print("after exec", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >= 4 * PAGES)
    sys.exit(0)
print("none yet", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
pid = os.fork()
if pid == 0:
    before = resource.getrusage(resource.RUSAGE_SELF)
    m = mmap.mmap(-1, PAGES * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    after = resource.getrusage(resource.RUSAGE_SELF)
    print("not by mapping", after.ru_minflt - before.ru_minflt < 100)
    touch(m, 0, PAGES)
    after = resource.getrusage(resource.RUSAGE_SELF)
    print("by touching", after.ru_maxrss - before.ru_maxrss >= 4 * PAGES - 4096)
    m.close()
    print("kept", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >= 4 * PAGES)
    if os.fork() == 0:
        print("child of it", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        os._exit(0)
    os.wait()
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
os.waitpid(pid, 0)
children = resource.getrusage(resource.RUSAGE_CHILDREN)
print("of the largest child", children.ru_maxrss >= 4 * PAGES)
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
print("not a sum", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss == children.ru_maxrss)
