"""Clocks by number, and the second.

Source: include/uapi/linux/time.h, include/vdso/time64.h.
"""

from typing import Final

NSEC_PER_SEC: Final = 1_000_000_000

CLOCK_REALTIME: Final = 0
CLOCK_MONOTONIC: Final = 1
CLOCK_PROCESS_CPUTIME_ID: Final = 2
CLOCK_THREAD_CPUTIME_ID: Final = 3
