"""Numbers of the accesses to words of memory: smplab's own, no system calls of Linux."""

from typing import Final

ATOMIC_READ_ONCE: Final = 0
ATOMIC_WRITE_ONCE: Final = 1
ATOMIC_LOAD_ACQUIRE: Final = 2
ATOMIC_STORE_RELEASE: Final = 3
ATOMIC_XCHG: Final = 4
ATOMIC_CMPXCHG: Final = 5
ATOMIC_ADD: Final = 6

MB_FULL: Final = 0
MB_READ: Final = 1
MB_WRITE: Final = 2
