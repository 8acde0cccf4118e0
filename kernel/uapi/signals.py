"""Signal numbers of x86-64, si_code values, and the sets that default actions are made of.

A set is an int: bit n-1 stands for signal n.

Source: include/uapi/asm-generic/signal.h, include/linux/signal.h,
include/uapi/asm-generic/siginfo.h.
"""

from typing import Final

SIGHUP: Final = 1
SIGINT: Final = 2
SIGQUIT: Final = 3
SIGILL: Final = 4
SIGTRAP: Final = 5
SIGABRT: Final = 6
SIGBUS: Final = 7
SIGFPE: Final = 8
SIGKILL: Final = 9
SIGUSR1: Final = 10
SIGSEGV: Final = 11
SIGUSR2: Final = 12
SIGPIPE: Final = 13
SIGALRM: Final = 14
SIGTERM: Final = 15
SIGSTKFLT: Final = 16
SIGCHLD: Final = 17
SIGCONT: Final = 18
SIGSTOP: Final = 19
SIGTSTP: Final = 20
SIGTTIN: Final = 21
SIGTTOU: Final = 22
SIGURG: Final = 23
SIGXCPU: Final = 24
SIGXFSZ: Final = 25
SIGVTALRM: Final = 26
SIGPROF: Final = 27
SIGWINCH: Final = 28
SIGIO: Final = 29
SIGPWR: Final = 30
SIGSYS: Final = 31
SIGRTMIN: Final = 32
NSIG: Final = 64

# what a disposition is: SIG_DFL, SIG_IGN, or SIG_HANDLER | sa_flags. Which function of the program
# the handler is, only the program's run time knows.
SIG_DFL: Final = 0
SIG_IGN: Final = 1
SIG_HANDLER: Final = 2
SIGSETXID: Final = 33  # the C library's own, as is SIGCANCEL, 32
SA_RESTART: Final = 0x10000000

SIG_BLOCK: Final = 0
SIG_UNBLOCK: Final = 1
SIG_SETMASK: Final = 2

# why a context's op was not carried out (``UserContext.interrupt``)
OP_EINTR: Final = 1  # it failed with EINTR
OP_NOT_BEGUN: Final = 2  # a signal came before it
OP_FAULTED: Final = 3  # it faulted; the instruction runs again when the handler returns

ITIMER_REAL: Final = 0
ITIMER_VIRTUAL: Final = 1
ITIMER_PROF: Final = 2

SI_USER: Final = 0
SI_KERNEL: Final = 0x80
SI_TKILL: Final = -6
TRAP_TRACE: Final = 2


def sigmask(*signals: int) -> int:
    """Return the set that holds ``signals``."""
    mask = 0
    for signal in signals:
        mask |= 1 << (signal - 1)
    return mask


SIG_KERNEL_ONLY_MASK: Final = sigmask(SIGKILL, SIGSTOP)
SIG_KERNEL_STOP_MASK: Final = sigmask(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU)
SIG_KERNEL_COREDUMP_MASK: Final = sigmask(
    SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGSYS, SIGXCPU, SIGXFSZ
)
SIG_KERNEL_IGNORE_MASK: Final = sigmask(SIGCONT, SIGCHLD, SIGWINCH, SIGURG)
SYNCHRONOUS_MASK: Final = sigmask(SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS)
