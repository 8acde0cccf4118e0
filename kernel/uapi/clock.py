"""Clocks by number, and the second.

Source: include/uapi/linux/time.h, include/vdso/time64.h.
"""

from typing import Final

NSEC_PER_SEC: Final = 1_000_000_000

CLOCK_REALTIME: Final = 0
CLOCK_MONOTONIC: Final = 1
CLOCK_PROCESS_CPUTIME_ID: Final = 2
CLOCK_THREAD_CPUTIME_ID: Final = 3
CLOCK_MONOTONIC_RAW: Final = 4
CLOCK_REALTIME_COARSE: Final = 5
CLOCK_MONOTONIC_COARSE: Final = 6
CLOCK_BOOTTIME: Final = 7
CLOCK_TAI: Final = 11

# those that the vDSO answers, without a system call
VDSO_CLOCKS: Final[tuple[int, ...]] = (0, 1, 4, 5, 6, 7, 11)
