"""Whose usage getrusage() tells. Source: include/uapi/linux/resource.h."""

from typing import Final

RUSAGE_SELF: Final = 0
RUSAGE_CHILDREN: Final = -1
RUSAGE_BOTH: Final = -2
"""Not for getrusage(): what a wait reports of a child."""
RUSAGE_THREAD: Final = 1
