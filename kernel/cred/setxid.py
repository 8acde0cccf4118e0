"""set*id() as the C library makes it: the calling thread's change is every thread's.

The kernel's calls change the credentials of one thread. glibc sends SIGSETXID to each other thread,
whose handler makes the same call; then it makes the call itself. The change of the others is made
with the caller's here (``creds.commit_creds``), but the signal is sent as glibc does, whether the
call then succeeds or not: it ends what a handler ends, pause() for one, in every other thread.

Source: glibc 2.36 nptl/nptl_setxid.c, nptl/pthread_create.c.
Deviation: the caller does not wait until all have run the handler, and the handler is installed by
the first such call, not with the first thread.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kernel.points import Path
from kernel.process.pid import PIDTYPE_PID, task_tgid_vnr
from kernel.signal.send import do_send_sig_info
from kernel.task import PF_EXITING
from kernel.uapi.signals import SA_RESTART, SI_TKILL, SIG_HANDLER, SIGSETXID

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def setxid(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``call``, one of ``creds.sys_set*``, that tells the other threads first."""

    def whole(k: "Kernel", *ids: int) -> Any:
        if len(k.current.signal.threads) == 1:
            return call(k, *ids)
        return _broadcast(k, call, ids)

    return whole


def _broadcast(k: "Kernel", call: Callable[..., Any], ids: tuple[int, ...]) -> Path[Any]:
    current = k.current
    sighand = current.sighand
    if sighand.action.get(SIGSETXID) is None:
        sighand.action = {**sighand.action, SIGSETXID: SIG_HANDLER | SA_RESTART}
    info = (SIGSETXID, SI_TKILL, task_tgid_vnr(k, current), current.cred.uid, 0)
    for thread in tuple(current.signal.threads):
        if thread is not current and not thread.flags & PF_EXITING:
            yield from do_send_sig_info(k, SIGSETXID, info, thread, PIDTYPE_PID)
    return call(k, *ids)
