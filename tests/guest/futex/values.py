"""futex_wait() does not sleep unless the word has the expected value; wake says how many woke."""

import mmap

from workloads import guest

m = mmap.mmap(-1, 8192, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
private = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def wait(what, memory, offset, expected, timeout_ns=None):
    try:
        guest.futex_wait(memory, offset, expected, timeout_ns)
        print(what, "woken")
    except OSError as error:
        print(what, error.errno, isinstance(error, (BlockingIOError, TimeoutError)))
    except (ValueError, IndexError) as error:
        print(what, error)


m[4096:4100] = b"\x01\x02\x03\x84"
wait("other value", m, 4096, 5)
wait("timeout", m, 4096, 0x84030201, 1000)
wait("negative value", m, 0, -1)
guest.WRITE_ONCE(m, 0, -1)
wait("negative value, equal", m, 0, -1, 1)
wait("timeout 0", m, 0, 0xFFFFFFFF, 0)
wait("other value, timeout 0", m, 0, 1, 0)
wait("negative timeout", m, 0, 0xFFFFFFFF, -1)
wait("private", private, 8, 1)
wait("private, timeout", private, 8, 0, 10)
wait("not a multiple of 4", m, 2, 0)
wait("outside", m, 8192, 0)
wait("last", m, 8188, 1)
for count in (0, 1, 2147483647):
    print("nobody sleeps", guest.futex_wake(m, 0, count))
