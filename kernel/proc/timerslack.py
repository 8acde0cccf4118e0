"""/proc/PID/timerslack_ns: by how much the sleeps of a process's first thread may end late.

Source: fs/proc/base.c.
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.creds import Cred, ns_capable
from kernel.errors import KernelError
from kernel.process.attrs import attrs_of, new_attrs, set_timer_slack
from kernel.task import TaskStruct
from kernel.uapi.errno_ import EINVAL, EPERM, ERANGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_DIGITS: Final = b"0123456789"


def timerslack_ns_show(k: "Kernel", task: TaskStruct) -> str:
    """Return the slack in ns.

    Raises:
        KernelError: EPERM, another's, without privilege.

    Source: fs/proc/base.c:timerslack_ns_show().
    """
    _may(k, task)
    return f"{attrs_of(task).timer_slack_ns}\n"


def timerslack_ns_write(k: "Kernel", task: TaskStruct, data: bytes) -> int:
    """Set the slack; 0 stands for the one it began with, and a real-time task has none.

    Raises:
        KernelError: EINVAL, no decimal number; ERANGE, one of more than 64 bits; EPERM, another's,
            without privilege.

    Source: fs/proc/base.c:timerslack_ns_write(), lib/kstrtox.c:kstrtoull().
    """
    text = bytes(data).removesuffix(b"\n").removeprefix(b"+")
    if not text or text.strip(_DIGITS):
        raise KernelError(EINVAL)
    slack_ns = int(text)
    if slack_ns >> 64:
        raise KernelError(ERANGE)
    _may(k, task)
    set_timer_slack(new_attrs(task), slack_ns)
    return len(data)


def _may(k: "Kernel", task: TaskStruct) -> None:
    mine: Cred = k.current.cred
    cred: Cred = task.cred
    if task is not k.current and not ns_capable(mine, cred.user_ns):
        raise KernelError(EPERM)
