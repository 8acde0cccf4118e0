"""Flags of eventfd2. Source: include/linux/eventfd.h."""

from typing import Final

EFD_SEMAPHORE: Final = 1
EFD_CLOEXEC: Final = 0o2000000
EFD_NONBLOCK: Final = 0o4000
