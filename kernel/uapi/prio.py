"""Selectors of getpriority() and setpriority().

Source: include/uapi/linux/resource.h.
"""

from typing import Final

PRIO_PROCESS: Final = 0
PRIO_PGRP: Final = 1
PRIO_USER: Final = 2
