"""Selectors of getpriority() and setpriority(), and the range of priorities.

Source: include/uapi/linux/resource.h, include/linux/sched/prio.h.
"""

from typing import Final

PRIO_PROCESS: Final = 0
PRIO_PGRP: Final = 1
PRIO_USER: Final = 2

MIN_NICE: Final = -20
MAX_NICE: Final = 19
MAX_RT_PRIO: Final = 100
DEFAULT_PRIO: Final = 120  # of nice 0
