"""Numbers of System V IPC and futexes.

Source: include/uapi/linux/ipc.h, sem.h, msg.h, shm.h, futex.h.
"""

from typing import Final

IPC_PRIVATE: Final = 0
IPC_CREAT: Final = 0o1000
IPC_EXCL: Final = 0o2000
IPC_NOWAIT: Final = 0o4000
IPC_RMID: Final = 0
IPC_SET: Final = 1
IPC_STAT: Final = 2

S_IRUGO: Final = 0o444
S_IWUGO: Final = 0o222
S_IRWXUGO: Final = 0o777

GETPID: Final = 11
GETVAL: Final = 12
GETNCNT: Final = 14
GETZCNT: Final = 15
SETVAL: Final = 16
SEM_UNDO: Final = 0x1000
SEMMNI: Final = 32_000
SEMMSL: Final = 32_000
SEMMNS: Final = SEMMNI * SEMMSL
SEMOPM: Final = 500
SEMVMX: Final = 32_767
SEMAEM: Final = SEMVMX

MSG_NOERROR: Final = 0o10000
MSG_EXCEPT: Final = 0o20000
MSG_COPY: Final = 0o40000
MSGMNI: Final = 32_000
MSGMAX: Final = 8_192
MSGMNB: Final = 16_384

SHM_DEST: Final = 0o1000
SHM_HUGETLB: Final = 0o4000
SHMMIN: Final = 1
SHMMNI: Final = 4_096
SHMMAX: Final = (1 << 64) - 1 - (1 << 24)
SHMALL: Final = SHMMAX

FUTEX_WAIT: Final = 0
FUTEX_WAKE: Final = 1
