"""Scheduling policies by number. Source: include/uapi/linux/sched.h."""

from typing import Final, Literal

# Linux's numbers are a closed set. Not a NewType: the constants stay literals when compiled.
SchedPolicy = Literal[0, 1, 2, 3, 5, 6, 7]

SCHED_NORMAL: Final = 0
SCHED_FIFO: Final = 1
SCHED_RR: Final = 2
SCHED_BATCH: Final = 3
SCHED_IDLE: Final = 5
SCHED_DEADLINE: Final = 6
SCHED_EXT: Final = 7

FAIR_POLICIES: Final[tuple[int, ...]] = (SCHED_NORMAL, SCHED_BATCH, SCHED_IDLE)
RT_POLICIES: Final[tuple[int, ...]] = (SCHED_FIFO, SCHED_RR)

SCHED_RESET_ON_FORK: Final = 0x40000000
SCHED_FLAG_RESET_ON_FORK: Final = 0x01
SCHED_FLAG_RECLAIM: Final = 0x02
SCHED_FLAG_DL_OVERRUN: Final = 0x04
SCHED_FLAG_KEEP_POLICY: Final = 0x08
SCHED_FLAG_KEEP_PARAMS: Final = 0x10
SCHED_FLAG_UTIL_CLAMP: Final = 0x60
SCHED_FLAG_ALL: Final = 0x7F
SCHED_FLAG_SUGOV: Final = 0x10000000  # of the kernel's own threads

POLICY_NAMES: Final[dict[int, str]] = {
    SCHED_NORMAL: "SCHED_NORMAL",
    SCHED_FIFO: "SCHED_FIFO",
    SCHED_RR: "SCHED_RR",
    SCHED_BATCH: "SCHED_BATCH",
    SCHED_IDLE: "SCHED_IDLE",
    SCHED_DEADLINE: "SCHED_DEADLINE",
}
