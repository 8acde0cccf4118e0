"""The user context of a posix_spawn child between clone and exec: a small machine of calls.

It takes the place of the C library's child side (``kernel.process.spawn``) and so is the one user
context that is no guest program. It lives in the kernel beside its parent's; when the parent is
killed while it waits, the child goes on alone on its CPU, and so this context must be able to
travel.

Source: glibc sysdeps/unix/sysv/linux/spawni.c:__spawni_child().
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.uapi.errno_ import EACCES, ENODEV, ENOENT, ENOTDIR, ESTALE, ETIMEDOUT
from kernel.uapi.syscalls import (
    NR_CLOSE,
    NR_DUP2,
    NR_EXECVE,
    NR_EXIT_GROUP,
    NR_OPEN,
    NR_RT_SIGACTION,
)

if TYPE_CHECKING:
    from kernel.uapi.failure import Error
from kernel.user import Loader, Op, UserContext

_EXIT_FAILURE: Final = 127
_TAG: Final = "spawn"

#: Calls whose failure spawni.c ignores: closing what is not open, SIGKILL's disposition.
_NOT_THERE: Final = frozenset((EACCES, ENOENT, ESTALE, ENOTDIR, ENODEV, ETIMEDOUT))
_UNCHECKED: Final = frozenset((NR_CLOSE, NR_RT_SIGACTION))


class SpawnChild:
    """The user context of a posix_spawn child until exec (``kernel.user.UserContext``).

    Attributes:
        errno: of the call that failed, for the parent; 0 until then.
        fault: likewise, if what failed is no errno: a program the emulator cannot run.
    """

    __slots__ = ("denied", "errno", "fault", "plan", "place", "steps", "want")

    def __init__(self, plan: list["Op"]) -> None:
        self.plan = plan
        self.place = -1
        self.want = -1  # the descriptor that the open just made must become
        self.errno = 0
        self.denied = False  # a candidate was there, but could not be run
        self.fault: Error | None = None
        self.steps = 1

    def resume(self, value: Any, error: "Error | None") -> "Op":
        """Return the next call; after a failed one, the exit."""
        if self.place >= 0:
            op = self.plan[self.place]
            if error is not None:
                if op[0] == NR_EXECVE and self._is_not_there(error):
                    pass  # the next candidate, as execvpe() does
                elif op[0] not in _UNCHECKED:
                    if error[0] > 0:
                        self.errno = self.errno or error[0]
                    else:
                        self.fault = error
                    return (NR_EXIT_GROUP, _EXIT_FAILURE)
            elif op[0] == NR_OPEN and value != op[4]:
                self.plan[self.place] = (NR_DUP2, value, op[4], True)
                self.plan.insert(self.place + 1, (NR_CLOSE, value))
                return self.plan[self.place]
        self.place += 1
        op = self.plan[self.place]
        return op[:4] if op[0] == NR_OPEN else op

    def _is_not_there(self, error: "Error") -> bool:
        """Note why a candidate could not be run; return whether there is another to try.

        Source: glibc posix/execvpe.c:__execvpe_common().
        """
        if error[0] not in _NOT_THERE:
            return False
        if error[0] == EACCES:
            self.denied = True
        if self.place + 1 < len(self.plan):
            return True
        if self.denied:
            self.errno = EACCES
        return False

    def trip(self, signals: tuple[int, ...]) -> None:
        """A spawn child blocks every signal."""
        raise AssertionError("a posix_spawn child handles no signal")

    def interrupt(self, op: "Op", how: int, until_ns: int) -> None:
        """A spawn child blocks every signal."""
        raise AssertionError("a posix_spawn child handles no signal")

    def fork(self) -> "UserContext":
        """A spawn child makes no children."""
        raise AssertionError("a posix_spawn child does not fork")

    def share(self) -> "UserContext":
        """A spawn child makes no children."""
        raise AssertionError("a posix_spawn child does not vfork")

    def thread(self, start: Any) -> "UserContext":
        """A spawn child makes no threads."""
        raise AssertionError("a posix_spawn child starts no threads")

    def pack(self) -> Any:
        """Return the context as plain data; ``unpack`` makes it again."""
        return [_TAG, self.plan, self.place, self.want, self.errno, self.fault, self.denied]

    @classmethod
    def unpack(cls, data: Any) -> "SpawnChild":
        """Return the context that ``pack`` described."""
        child = cls([tuple(op) for op in data[1]])
        child.place, child.want, child.errno = data[2:5]
        if data[5] is not None:
            child.fault = (data[5][0], data[5][1], data[5][2])
        child.denied = data[6]
        return child


def unpack_context(loader: "Loader", data: Any) -> "UserContext":
    """Return the user context that its ``pack`` described: a guest program's or a spawn child's."""
    if isinstance(data, list | tuple) and data[0] == _TAG:
        return SpawnChild.unpack(data)
    return loader.unpack(data)
