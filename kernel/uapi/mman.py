"""Numbers of the memory calls of the ABI.

Source: include/uapi/asm-generic/mman-common.h, include/uapi/linux/mman.h, include/linux/mm.h.
"""

from typing import Final

PAGE_SIZE: Final = 4096
PAGE_SHIFT: Final = 12

PROT_READ: Final = 1
PROT_WRITE: Final = 2
PROT_EXEC: Final = 4

MAP_SHARED: Final = 0x01
MAP_PRIVATE: Final = 0x02
MAP_TYPE: Final = 0x0F
MAP_ANONYMOUS: Final = 0x20
MAP_NORESERVE: Final = 0x4000
MAP_POPULATE: Final = 0x8000

VM_READ: Final = 0x1
VM_WRITE: Final = 0x2
VM_EXEC: Final = 0x4
VM_SHARED: Final = 0x8
VM_GROWSDOWN: Final = 0x100
VM_LOCKED: Final = 0x2000
VM_SEQ_READ: Final = 0x8000
VM_RAND_READ: Final = 0x10000
VM_DONTCOPY: Final = 0x20000
VM_LOCKONFAULT: Final = 0x80000
VM_ACCOUNT: Final = 0x100000
VM_NORESERVE: Final = 0x200000
VM_WIPEONFORK: Final = 0x2000000
VM_DONTDUMP: Final = 0x4000000

MAX_MAP_COUNT: Final = 65530
TASK_SIZE: Final = 0x7FFF_FFFF_F000
"""Deviation: x86-64's user address space is used on every emulated architecture."""
