"""ptrace: requests, options, events, and where the registers of x86-64 stand in ``struct user``.

Source: include/uapi/linux/ptrace.h, include/linux/ptrace.h, arch/x86/include/uapi/asm/ptrace-abi.h,
glibc <sys/reg.h> (a register's number; its offset for PTRACE_PEEKUSER is eight times that).
"""

from typing import Final

PTRACE_TRACEME: Final = 0
PTRACE_PEEKTEXT: Final = 1
PTRACE_PEEKDATA: Final = 2
PTRACE_PEEKUSER: Final = 3
PTRACE_POKETEXT: Final = 4
PTRACE_POKEDATA: Final = 5
PTRACE_POKEUSER: Final = 6
PTRACE_CONT: Final = 7
PTRACE_KILL: Final = 8
PTRACE_SINGLESTEP: Final = 9
PTRACE_ATTACH: Final = 16
PTRACE_DETACH: Final = 17
PTRACE_SYSCALL: Final = 24
PTRACE_SETOPTIONS: Final = 0x4200
PTRACE_GETEVENTMSG: Final = 0x4201
PTRACE_GETSIGINFO: Final = 0x4202
PTRACE_SETSIGINFO: Final = 0x4203
PTRACE_SEIZE: Final = 0x4206
PTRACE_INTERRUPT: Final = 0x4207
PTRACE_LISTEN: Final = 0x4208
PTRACE_GETSIGMASK: Final = 0x420A
PTRACE_SETSIGMASK: Final = 0x420B
PTRACE_GET_SYSCALL_INFO: Final = 0x420E

PTRACE_EVENT_FORK: Final = 1
PTRACE_EVENT_VFORK: Final = 2
PTRACE_EVENT_CLONE: Final = 3
PTRACE_EVENT_EXEC: Final = 4
PTRACE_EVENT_VFORK_DONE: Final = 5
PTRACE_EVENT_EXIT: Final = 6
PTRACE_EVENT_STOP: Final = 128

PTRACE_O_TRACESYSGOOD: Final = 1
PTRACE_O_TRACEFORK: Final = 1 << PTRACE_EVENT_FORK
PTRACE_O_TRACEVFORK: Final = 1 << PTRACE_EVENT_VFORK
PTRACE_O_TRACECLONE: Final = 1 << PTRACE_EVENT_CLONE
PTRACE_O_TRACEEXEC: Final = 1 << PTRACE_EVENT_EXEC
PTRACE_O_TRACEVFORKDONE: Final = 1 << PTRACE_EVENT_VFORK_DONE
PTRACE_O_TRACEEXIT: Final = 1 << PTRACE_EVENT_EXIT
PTRACE_O_EXITKILL: Final = 1 << 20
PTRACE_O_MASK: Final = 0x7F | PTRACE_O_EXITKILL

PTRACE_EVENTMSG_SYSCALL_ENTRY: Final = 1
PTRACE_EVENTMSG_SYSCALL_EXIT: Final = 2
PTRACE_SYSCALL_INFO_NONE: Final = 0
PTRACE_SYSCALL_INFO_ENTRY: Final = 1
PTRACE_SYSCALL_INFO_EXIT: Final = 2

# what a task's ``ptrace`` says: traced, seized, and the options above
PT_PTRACED: Final = 1
PT_OPT_FLAG_SHIFT: Final = 3
PT_SEIZED: Final = 0x10000
PT_TRACESYSGOOD: Final = PTRACE_O_TRACESYSGOOD << PT_OPT_FLAG_SHIFT
PT_EXITKILL: Final = PTRACE_O_EXITKILL << PT_OPT_FLAG_SHIFT

# registers by number: <sys/reg.h>
R15: Final = 0
R14: Final = 1
R13: Final = 2
R12: Final = 3
RBP: Final = 4
RBX: Final = 5
R11: Final = 6
R10: Final = 7
R9: Final = 8
R8: Final = 9
RAX: Final = 10
RCX: Final = 11
RDX: Final = 12
RSI: Final = 13
RDI: Final = 14
ORIG_RAX: Final = 15

# fields of a siginfo, for the integer interface of the guest language
SIGINFO_SIGNO: Final = 0
SIGINFO_CODE: Final = 1
SIGINFO_PID: Final = 2
SIGINFO_UID: Final = 3
SIGINFO_STATUS: Final = 4
