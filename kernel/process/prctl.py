"""prctl(): what a thread or its process can ask for about itself.

A child subreaper inherits the orphans among its descendants
(``kernel.process.exit.find_new_reaper``).
``has_child_subreaper`` says that a process has one above it; fork copies it, and becoming a
subreaper sets it in every descendant there is.

Source: kernel/sys.c (prctl), security/commoncap.c (cap_task_prctl).
Deviation: PR_SET_NAME takes and PR_GET_NAME returns a text; the other PR_GET_* calls that store
through a pointer return the value. PR_SET_KEEPCAPS and PR_SET_NO_NEW_PRIVS are kept and
inherited, but there are no set-uid programs and no capabilities for them to act on. What the
timer slack does is ``kernel.time.slack``.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kernel.cred.creds import SUID_DUMP_DISABLE, SUID_DUMP_USER
from kernel.errors import GuestFault, KernelError
from kernel.events import TASK_RENAME
from kernel.messages import eff_tune_comm
from kernel.points import ACQUIRE, READ, RELEASE, Path
from kernel.process.attrs import attrs_of, new_attrs
from kernel.task import TASK_COMM_LEN, TaskStruct, mm_of
from kernel.uapi.errno_ import EFAULT, EINVAL
from kernel.uapi.failure import refused
from kernel.uapi.policy import FAIR_POLICIES
from kernel.uapi.prctl import (
    PR_GET_CHILD_SUBREAPER,
    PR_GET_DUMPABLE,
    PR_GET_KEEPCAPS,
    PR_GET_NAME,
    PR_GET_NO_NEW_PRIVS,
    PR_GET_PDEATHSIG,
    PR_GET_TIMERSLACK,
    PR_LAST,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,
    PR_SET_NAME,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    PR_SET_PTRACER,
    PR_SET_TIMERSLACK,
    PR_SET_VMA,
)
from kernel.uapi.signals import NSIG

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_UNUSED: Final[tuple[int, ...]] = (
    0,
    5,
    6,
    17,
    18,
    37,
)  # numbers below PR_LAST that name nothing on x86-64
_ULONG: Final = (1 << 64) - 1


def sys_prctl(k: "Kernel", option: int, argument: int | str) -> Path[int | str]:
    """Set or tell one property of the calling thread or process.

    Args:
        option: PR_SET_* or PR_GET_* (``kernel.uapi.prctl``).
        argument: an int; for PR_SET_NAME a str.

    Returns:
        The value for PR_GET_*, else 0.

    Raises:
        KernelError: EINVAL, no such option or a bad argument; EFAULT, an int as a name.
        GuestFault: REFUSED, an option of Linux that is not here.

    Source: kernel/sys.c:prctl().
    """
    task = k.current
    if option >= PR_SET_CHILD_SUBREAPER and not k.tasks.profile.subreapers:
        raise KernelError(EINVAL)  # the subreaper came with 3.4, no_new_privs with 3.5
    if option == PR_SET_NAME:
        if type(argument) is not str:
            raise KernelError(EFAULT)
        yield from set_task_comm(k, task, argument)
        return 0
    if option == PR_GET_NAME:
        return task.comm
    if type(argument) is not int:
        raise KernelError(EINVAL)
    argument &= _ULONG
    if option == PR_SET_CHILD_SUBREAPER:
        yield from set_child_subreaper(k, argument != 0)
        return 0
    plain = _PLAIN.get(option)
    if plain is not None:
        return plain(task, argument)
    if (0 < option <= PR_LAST and option not in _UNUSED) or option in (PR_SET_PTRACER, PR_SET_VMA):
        raise GuestFault(refused(f"prctl option {option} is not emulated"))
    raise KernelError(EINVAL)


# -- options that need no path: (task, argument) -> the result of the call


def _set_pdeathsig(task: TaskStruct, argument: int) -> int:
    if argument > NSIG:
        raise KernelError(EINVAL)
    task.pdeath_signal = argument
    return 0


def _get_pdeathsig(task: TaskStruct, _argument: int) -> int:
    return task.pdeath_signal


def _set_dumpable(task: TaskStruct, argument: int) -> int:
    if argument not in (SUID_DUMP_DISABLE, SUID_DUMP_USER):
        raise KernelError(EINVAL)
    mm_of(task).dumpable = argument
    return 0


def _get_dumpable(task: TaskStruct, _argument: int) -> int:
    return int(mm_of(task).dumpable)


def _get_child_subreaper(task: TaskStruct, _argument: int) -> int:
    return int(task.signal.is_child_subreaper)


def _set_no_new_privs(task: TaskStruct, argument: int) -> int:
    if argument != 1:  # it cannot be taken back
        raise KernelError(EINVAL)
    new_attrs(task).no_new_privs = True
    return 0


def _get_no_new_privs(task: TaskStruct, argument: int) -> int:
    if argument:
        raise KernelError(EINVAL)
    return int(attrs_of(task).no_new_privs)


def _set_timerslack(task: TaskStruct, argument: int) -> int:
    attrs = new_attrs(task)
    if attrs.policy in FAIR_POLICIES:  # of another task it stays 0
        attrs.timer_slack_ns = argument or attrs.default_timer_slack_ns
    return 0


def _get_timerslack(task: TaskStruct, _argument: int) -> int:
    return attrs_of(task).timer_slack_ns


def _set_keepcaps(task: TaskStruct, argument: int) -> int:
    if argument > 1:
        raise KernelError(EINVAL)
    new_attrs(task).keep_caps = bool(argument)
    return 0


def _get_keepcaps(task: TaskStruct, _argument: int) -> int:
    return int(attrs_of(task).keep_caps)


_PLAIN: Final[dict[int, Callable[[TaskStruct, int], int]]] = {
    PR_SET_PDEATHSIG: _set_pdeathsig,
    PR_GET_PDEATHSIG: _get_pdeathsig,
    PR_SET_DUMPABLE: _set_dumpable,
    PR_GET_DUMPABLE: _get_dumpable,
    PR_GET_CHILD_SUBREAPER: _get_child_subreaper,
    PR_SET_NO_NEW_PRIVS: _set_no_new_privs,
    PR_GET_NO_NEW_PRIVS: _get_no_new_privs,
    PR_SET_TIMERSLACK: _set_timerslack,
    PR_GET_TIMERSLACK: _get_timerslack,
    PR_SET_KEEPCAPS: _set_keepcaps,
    PR_GET_KEEPCAPS: _get_keepcaps,
}


def set_task_comm(k: "Kernel", task: TaskStruct, name: str) -> Path[None]:
    """Give a thread a name: the first 15 bytes of ``name``, up to a NUL.

    Source: fs/exec.c:__set_task_comm().
    """
    data = name.encode("utf-8", "surrogateescape").split(b"\0", 1)[0][: TASK_COMM_LEN - 1]
    comm = data.decode("utf-8", "surrogateescape")
    lock = k.task_lock(task)
    yield "set_task_comm.task_lock", ACQUIRE, lock
    if k.tracing:
        k.emit(TASK_RENAME, (task.pid, task.comm, comm, 0))
    task.comm = comm
    yield "set_task_comm.task_unlock", RELEASE, lock
    k.send(task.cpu, eff_tune_comm(k.stamp(task), task.pid, comm))


def set_child_subreaper(k: "Kernel", on: bool) -> Path[None]:
    """Make the current process a child subreaper, or an ordinary one.

    Source: kernel/sys.c:prctl(), propagate_has_child_subreaper(); kernel/fork.c:
        walk_process_tree().
    """
    me = k.current
    me.signal.is_child_subreaper = on
    if not on:
        return
    yield "walk_process_tree.tasklist_lock", READ, k.tasklist_lock
    todo = list(me.signal.threads)
    while todo:
        for child in todo.pop().children.values():
            signal = child.signal
            # below one that has the mark all have it
            if not signal.has_child_subreaper and child.group_leader is not k.child_reaper:
                signal.has_child_subreaper = True
                todo += signal.threads
    yield "walk_process_tree.tasklist_unlock", RELEASE, k.tasklist_lock
