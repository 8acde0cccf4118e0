"""How a kernel path ends other than by returning a value."""

from typing import Any

from kernel import messages as m
from kernel.uapi.failure import Error
from kernel.uapi.signals import SA_RESTART


class KernelError(Exception):
    """The call fails with an errno, and perhaps with the files that it is about."""

    def __init__(
        self, errno: int, filename: str | None = None, filename2: str | None = None
    ) -> None:
        super().__init__(errno, filename)
        self.errno = errno
        self.filename = filename
        self.filename2 = filename2


class GuestFault(Exception):
    """The call fails with something that is none of Linux's errors: ``kernel.uapi.failure``."""

    def __init__(self, error: Error) -> None:
        super().__init__(error)
        self.error = error


class RestartSyscall(Exception):
    """A sleep was interrupted by a signal.

    If no handler runs, or the first that runs has SA_RESTART, the call starts again; else it
    fails with EINTR.

    Source: include/linux/errno.h, ERESTARTSYS.
    """

    @classmethod
    def ends(cls, action: int) -> bool:
        """Tell whether the call fails with EINTR when ``action``, a handler, has run first."""
        return not action & SA_RESTART


class RestartNoHand(RestartSyscall):
    """The same, but any handler makes it EINTR. Source: ERESTARTNOHAND, ERESTART_RESTARTBLOCK."""

    @classmethod
    def ends(cls, action: int) -> bool:
        """Always."""
        return True


class RestartNoIntr(RestartSyscall):
    """The same, but the call starts again whatever ran. Source: ERESTARTNOINTR."""

    @classmethod
    def ends(cls, action: int) -> bool:
        """Never."""
        return False


class TaskDead(Exception):
    """do_exit() has finished: the current task never returns to user mode."""


class InvariantError(AssertionError):
    """A broken invariant of the emulator; the message is the story of what was found.

    Attributes:
        told: the stories of the tasks it names are in the message (``kernel.drive.story``).
    """

    told = False


class ScheduleDiverged(InvariantError):
    """A schedule does not belong to this run: the message says from where on."""

    told = True  # no task is to blame


class IllegalTransition(InvariantError):
    """A task was moved in a way the state table does not allow: a bug of the emulator."""


class FaultSignal(Exception):
    """A memory access of the current task ends with a signal that cannot be held back.

    ``kernel.entry`` sends it to ``k.current`` (``force_sig_fault``); the interrupted access does
    not return. ``code`` is the si_code (SEGV_MAPERR 1, SEGV_ACCERR 2), ``address`` the si_addr.

    Source: arch/x86/mm/fault.c:bad_area(), mm/oom_kill.c:pagefault_out_of_memory().
    """

    def __init__(self, signal: int, code: int, address: int) -> None:
        super().__init__(signal, code, address)
        self.signal = signal
        self.code = code
        self.address = address


class BadMutation(ValueError):
    """A mutation is none, or makes no sense; the message says why.

    Attributes:
        point: the name that no point has, if that is why.
    """

    def __init__(self, why: str, point: str = "") -> None:
        super().__init__(why)
        self.point = point


class SchedStalled(Exception):
    """A scheduler of one's own has let a runnable task wait for too long (``sched.watchdog``).

    Source: kernel/sched/ext.c:SCX_EXIT_ERROR_STALL.
    """


def describe(message: tuple[Any, ...], *, request: bool) -> str:
    """Return a one-line text of a message for logs and stories.

    Raises:
        KeyError: the code is not one of the closed set.
    """
    if request:
        name, names, _ = m.REQUESTS[message[m.R_CODE]]
        head = f"{message[0]} cpu{message[1]}#{message[2]} pid {message[m.R_PID]} {name}"
        values = message[m.R_ARGS :]
    else:
        name, names, _ = m.EFFECTS[message[1]]
        head = f"{message[0]} pid {message[2]} {name}"
        values = message[3:]
    return head + "".join(f" {n}={v!r}" for n, v in zip(names, values))


def unknown(message: tuple[Any, ...], where: str) -> str:
    """Return the story of a message that is in no table; ``where`` says who got it and when."""
    return f"{where}: no such message: {message!r}"
