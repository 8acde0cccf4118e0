"""``task_struct.__state``: the bits, for both halves of a task and for traces.

Source: include/linux/sched.h.
"""

from typing import Final

TASK_RUNNING: Final = 0
TASK_INTERRUPTIBLE: Final = 1
TASK_UNINTERRUPTIBLE: Final = 2
TASK_STOPPED_BIT: Final = 4
TASK_TRACED_BIT: Final = 8
TASK_PARKED: Final = 0x40
TASK_DEAD: Final = 0x80
TASK_WAKEKILL: Final = 0x100
TASK_NOLOAD: Final = 0x400
TASK_NEW: Final = 0x800
TASK_KILLABLE: Final = TASK_WAKEKILL | TASK_UNINTERRUPTIBLE
TASK_STOPPED: Final = TASK_WAKEKILL | TASK_STOPPED_BIT
TASK_TRACED: Final = TASK_TRACED_BIT
TASK_IDLE: Final = TASK_UNINTERRUPTIBLE | TASK_NOLOAD
TASK_NORMAL: Final = TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE
# states that tell of more than a condition somebody waits for (is_special_task_state())
TASK_SPECIAL: Final = TASK_STOPPED_BIT | TASK_TRACED_BIT | TASK_PARKED | TASK_DEAD
TASK_REPORT_MAX: Final = 0x100  # sched_switch's R+: preempted, and still runnable
