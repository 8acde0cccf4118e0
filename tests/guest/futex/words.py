"""Words are unsigned, little-endian, modulo 2**32; read-modify-write gives the old value."""

import mmap
import os

from workloads import guest

m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
guest.WRITE_ONCE(m, 4, 0x01020304)
print(m[4:8], guest.READ_ONCE(m, 4), guest.load_acquire(m, 4))
guest.store_release(m, 4, -2)
print(m[4:8], guest.READ_ONCE(m, 4))
print(guest.atomic_add(m, 4, 5), guest.READ_ONCE(m, 4))
print(guest.atomic_add(m, 4, -4), guest.READ_ONCE(m, 4))
print(guest.xchg(m, 4, 1 << 33), guest.READ_ONCE(m, 4))
print(guest.cmpxchg(m, 4, 1, 7), guest.READ_ONCE(m, 4))
print(guest.cmpxchg(m, 4, 0, 7), guest.READ_ONCE(m, 4))
print(guest.cmpxchg(m, 4, 7 + (1 << 32), -1), guest.READ_ONCE(m, 4))
print(guest.smp_mb(), guest.smp_rmb(), guest.smp_wmb())
for offset in (1, 4093, 4096, -4):
    try:
        print(guest.READ_ONCE(m, offset))
    except (ValueError, IndexError) as error:
        print(offset, error)

# what all do at once adds up
for _ in range(4):
    if os.fork() == 0:
        for _ in range(25):
            guest.atomic_add(m, 64, 1)
            while guest.xchg(m, 68, 1):
                os.sched_yield()
            m[72] = m[72] + 1
            guest.store_release(m, 68, 0)
        os._exit(0)
for _ in range(4):
    os.wait()
print(guest.READ_ONCE(m, 64), m[72])
private = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
if os.fork() == 0:
    guest.atomic_add(private, 0, 5)
    os._exit(guest.READ_ONCE(private, 0))
print(os.waitstatus_to_exitcode(os.wait()[1]), guest.READ_ONCE(private, 0))
