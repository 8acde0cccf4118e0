"""System V message queues.

A queue is a list of messages and two lists of sleepers. A receiver that finds no message leaves a
note of what it wants (``MsgReceiver``) and sleeps; a sender hands its message straight to the first
receiver it suits, without it ever being on the queue. A sender that finds no room sleeps among the
senders; whoever takes a message wakes those whose message would fit, and they try again.

Source: ipc/msg.c, ipc/msgutil.c.
Deviation: no page is taken for what is queued; IPC_SET and the MSG_* queries of ipcs are not there;
times and pids of the last calls are not kept.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.drive.lockdep import assert_held
from kernel.errors import KernelError, RestartNoHand
from kernel.ipc.util import (
    IpcIds,
    KernIpcPerm,
    current_ipc_ns,
    ipc_addid,
    ipc_obtain_object_check,
    ipc_rmid,
    ipcctl_obtain_check,
    ipcget,
    ipcperms,
)
from kernel.points import ACQUIRE, POINT, RELEASE, SCHEDULE, Path
from kernel.signal.pending import signal_pending
from kernel.smp.ttwu import set_current_state, wake_up_process
from kernel.task import TASK_INTERRUPTIBLE, TASK_RUNNING, TaskStruct
from kernel.uapi.errno_ import E2BIG, EACCES, EAGAIN, EIDRM, EINVAL, ENOMSG
from kernel.uapi.ipc import (
    IPC_NOWAIT,
    IPC_RMID,
    IPC_STAT,
    MSG_COPY,
    MSG_EXCEPT,
    MSG_NOERROR,
    MSGMAX,
    MSGMNB,
    MSGMNI,
    S_IRUGO,
    S_IRWXUGO,
    S_IWUGO,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel

SEARCH_ANY: Final = 1
SEARCH_EQUAL: Final = 2
SEARCH_NOTEQUAL: Final = 3
SEARCH_LESSEQUAL: Final = 4
SEARCH_NUMBER: Final = 5

_LONG_MAX: Final = (1 << 63) - 1

Msg = tuple[int, bytes]  # type, text


class MsgReceiver:
    """A sleeping receiver (``msg_receiver``): what it wants, and what it got."""

    __slots__ = ("errno", "maxsize", "mode", "msg", "msgtype", "task")

    def __init__(self, task: TaskStruct, msgtype: int, mode: int, maxsize: int) -> None:
        self.task = task
        self.msgtype = msgtype
        self.mode = mode
        self.maxsize = maxsize
        self.msg: Msg | None = None
        self.errno = EAGAIN  # EAGAIN: nobody has served it


class MsgSender:
    """A sleeping sender (``msg_sender``)."""

    __slots__ = ("msgsz", "task")

    def __init__(self, task: TaskStruct, msgsz: int) -> None:
        self.task = task
        self.msgsz = msgsz


class MsgQueue:
    """One queue (``msg_queue``). ``perm.lock`` guards all of it."""

    __slots__ = ("perm", "q_cbytes", "q_messages", "q_qbytes", "q_receivers", "q_senders")

    def __init__(self, perm: KernIpcPerm) -> None:
        self.perm = perm
        self.q_cbytes = 0
        self.q_qbytes = MSGMNB
        self.q_messages: list[Msg] = []
        self.q_receivers: list[MsgReceiver] = []
        self.q_senders: list[MsgSender] = []


def sys_msgget(k: "Kernel", key: int, flags: int) -> Path[int]:
    """Return the id of the queue with ``key``, made if need be.

    Raises:
        KernelError: ENOSPC, 32000 queues; and see ipcget().

    Source: ipc/msg.c:ksys_msgget(), newque().
    """
    ids = current_ipc_ns(k).msg

    def newque() -> int:
        perm = KernIpcPerm(key, flags & S_IRWXUGO, k.current.cred, k.new_lock("msg_perm"))
        return ipc_addid(k, ids, MsgQueue(perm), MSGMNI)

    def good(msq: Any) -> bool:
        return True

    return ipcget(k, ids, key, flags, newque, good)


# -- sending -------------------------------------------------------------------------------------


def sys_msgsnd(k: "Kernel", msqid: int, mtype: int, data: bytes, flags: int) -> Path[None]:
    """Send a message, sleeping while the queue has no room for it.

    Raises:
        KernelError: EINVAL, no such queue, more than 8192 bytes, a type below 1; EACCES; EAGAIN,
            no room and IPC_NOWAIT; EIDRM, the queue was removed.
        RestartNoHand: a signal is pending.

    Source: ipc/msg.c:do_msgsnd().
    """
    current = k.current
    size = len(data)
    k.now_ns += k.costs.ipc_op + size * k.costs.copy_byte_x1000 // 1000
    if size > MSGMAX or msqid < 0 or mtype < 1:
        raise KernelError(EINVAL)
    yield "msgsnd.obtain", POINT, None
    msq: MsgQueue = ipc_obtain_object_check(current_ipc_ns(k).msg, msqid)
    lock = msq.perm.lock
    yield "msgsnd.lock", ACQUIRE, lock
    sleeper: MsgSender | None = None
    interrupted = False
    while True:
        errno = _may_use(k, msq, S_IWUGO)
        if sleeper is not None:
            if sleeper in msq.q_senders:
                msq.q_senders.remove(sleeper)
            sleeper = None
            interrupted = not errno and signal_pending(current)
        if errno or interrupted or _msg_fits_inqueue(msq, size):
            break
        if flags & IPC_NOWAIT:
            errno = EAGAIN
            break
        sleeper = MsgSender(current, size)
        msq.q_senders.append(sleeper)
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        yield "msgsnd.unlock_wait", RELEASE, lock
        if not signal_pending(current):
            yield "msgsnd.schedule", SCHEDULE, msq
        yield from set_current_state(k, TASK_RUNNING)
        yield "msgsnd.relock", ACQUIRE, lock
    wake_q: list[TaskStruct] = []
    if not errno and not interrupted and not _pipelined_send(msq, (mtype, data), wake_q):
        msq.q_messages.append((mtype, data))
        msq.q_cbytes += size
    yield "msgsnd.unlock", RELEASE, lock
    for task in wake_q:
        yield from wake_up_process(k, task)
    if errno:
        raise KernelError(errno)
    if interrupted:
        raise RestartNoHand
    return None


def _may_use(k: "Kernel", msq: MsgQueue, flag: int) -> int:
    """Return 0, or the errno with which a call on ``msq`` fails."""
    if msq.perm.deleted:
        return EIDRM
    return EACCES if ipcperms(k, msq.perm, flag) else 0


def _msg_fits_inqueue(msq: MsgQueue, size: int) -> bool:
    """Source: ipc/msg.c:msg_fits_inqueue()."""
    return size + msq.q_cbytes <= msq.q_qbytes and len(msq.q_messages) < msq.q_qbytes


def _pipelined_send(msq: MsgQueue, msg: Msg, wake_q: list[TaskStruct]) -> bool:
    """Give ``msg`` to the first sleeper it suits; those for whom it is too long fail on the way.

    Source: ipc/msg.c:pipelined_send().
    """
    for receiver in tuple(msq.q_receivers):
        if not testmsg(msg, receiver.msgtype, receiver.mode):
            continue
        msq.q_receivers.remove(receiver)
        wake_q.append(receiver.task)
        if receiver.maxsize < len(msg[1]):
            receiver.errno = E2BIG
        else:
            receiver.errno = 0
            receiver.msg = msg
            return True
    return False


# -- receiving -----------------------------------------------------------------------------------


def testmsg(msg: Msg, msgtype: int, mode: int) -> bool:
    """Tell whether ``msg`` is one that is looked for. Source: ipc/msg.c:testmsg()."""
    if mode == SEARCH_LESSEQUAL:
        return msg[0] <= msgtype
    if mode == SEARCH_EQUAL:
        return msg[0] == msgtype
    if mode == SEARCH_NOTEQUAL:
        return msg[0] != msgtype
    return True


def convert_mode(msgtype: int, flags: int) -> tuple[int, int]:
    """Return what ``msgtype`` means as ``(type, SEARCH_*)``. Source: ipc/msg.c:convert_mode()."""
    if flags & MSG_COPY:
        return msgtype, SEARCH_NUMBER
    if not msgtype:
        return 0, SEARCH_ANY
    if msgtype < 0:
        return min(-msgtype, _LONG_MAX), SEARCH_LESSEQUAL
    return msgtype, SEARCH_NOTEQUAL if flags & MSG_EXCEPT else SEARCH_EQUAL


def find_msg(msq: MsgQueue, msgtype: int, mode: int) -> int:
    """Return the place of the message that is looked for, -1 if there is none.

    SEARCH_LESSEQUAL finds the first one of the lowest type; SEARCH_NUMBER takes a place.

    Source: ipc/msg.c:find_msg().
    """
    found = -1
    for place, msg in enumerate(msq.q_messages):
        if mode == SEARCH_NUMBER:
            if place == msgtype:
                return place
        elif testmsg(msg, msgtype, mode):
            found = place
            if mode != SEARCH_LESSEQUAL or msgtype == 1:
                return place
            msgtype = msg[0] - 1
    return found


def sys_msgrcv(
    k: "Kernel", msqid: int, size: int, msgtype: int, flags: int
) -> Path[tuple[int, bytes]]:
    """Take a message off a queue, sleeping until there is one.

    Args:
        size: longer messages are E2BIG, or cut with MSG_NOERROR.
        msgtype: 0: the first message; > 0: the first of that type (MSG_EXCEPT: of another one);
            < 0: the first of the lowest type up to its absolute value; MSG_COPY: a place.

    Returns:
        ``(type, text)``.

    Raises:
        KernelError: EINVAL, no such queue, a negative size, or MSG_COPY without IPC_NOWAIT, with
            MSG_EXCEPT, or of a message that MSG_NOERROR would cut; EACCES; E2BIG; ENOMSG, none and
            IPC_NOWAIT; EIDRM, it was removed.
        RestartNoHand: a signal is pending.

    Source: ipc/msg.c:do_msgrcv().
    """
    current = k.current
    k.now_ns += k.costs.ipc_op
    if msqid < 0 or size < 0:
        raise KernelError(EINVAL)
    if flags & MSG_COPY and (flags & MSG_EXCEPT or not flags & IPC_NOWAIT):
        raise KernelError(EINVAL)
    wanted, mode = convert_mode(msgtype, flags)
    msq: MsgQueue = ipc_obtain_object_check(current_ipc_ns(k).msg, msqid)
    lock = msq.perm.lock
    yield "msgrcv.obtain", POINT, msq
    wake_q: list[TaskStruct] = []
    msg: Msg | None = None
    interrupted = False
    while True:
        yield "msgrcv.lock", ACQUIRE, lock
        errno = _may_use(k, msq, S_IRUGO)
        place = -1 if errno else find_msg(msq, wanted, mode)
        if place >= 0:
            msg = msq.q_messages[place]
            errno = _take_msg(msq, place, size, flags, wake_q)
        if errno or msg is not None:
            break
        if flags & IPC_NOWAIT:
            errno = ENOMSG
            break
        maxsize = _LONG_MAX if flags & MSG_NOERROR else size
        receiver = MsgReceiver(current, wanted, mode, maxsize)
        msq.q_receivers.append(receiver)
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        yield "msgrcv.unlock_wait", RELEASE, lock
        if not signal_pending(current):
            yield "msgrcv.schedule", SCHEDULE, msq
        yield from set_current_state(k, TASK_RUNNING)
        yield "msgrcv.relock", ACQUIRE, lock
        errno = receiver.errno
        msg = receiver.msg
        if errno != EAGAIN:
            break  # served, or failed: the waker has taken it off the list
        msq.q_receivers.remove(receiver)
        errno = 0
        interrupted = signal_pending(current)
        if interrupted:
            break
        yield "msgrcv.unlock_again", RELEASE, lock
    yield "msgrcv.unlock", RELEASE, lock
    for task in wake_q:
        yield from wake_up_process(k, task)
    if errno:
        raise KernelError(errno)
    if interrupted or msg is None:
        raise RestartNoHand
    return _copy_out(k, msg, size)


def _copy_out(k: "Kernel", msg: Msg, size: int) -> Msg:
    """Return ``msg``, cut to what the caller has room for. Source: ipc/msg.c:do_msg_fill()."""
    text = msg[1][:size]
    k.now_ns += len(text) * k.costs.copy_byte_x1000 // 1000
    return msg[0], text


def _take_msg(msq: MsgQueue, place: int, size: int, flags: int, wake_q: list[TaskStruct]) -> int:
    """Take the message at ``place`` off its queue, with MSG_COPY leave it; return an errno or 0.

    Source: ipc/msg.c:do_msgrcv(), copy_msg().
    """
    text = msq.q_messages[place][1]
    if size < len(text) and not flags & MSG_NOERROR:
        return E2BIG
    if flags & MSG_COPY:
        return EINVAL if size < len(text) else 0  # copy_msg() does not cut
    del msq.q_messages[place]
    msq.q_cbytes -= len(text)
    _ss_wakeup(msq, wake_q, False)
    return 0


def _ss_wakeup(msq: MsgQueue, wake_q: list[TaskStruct], kill: bool) -> None:
    """Wake the senders whose message fits now (``kill``: all); those it does not go to the tail.

    Source: ipc/msg.c:ss_wakeup().
    """
    stay: list[MsgSender] = []
    woken: list[MsgSender] = []
    for sender in msq.q_senders:
        if kill or _msg_fits_inqueue(msq, sender.msgsz):
            wake_q.append(sender.task)
            woken.append(sender)
        else:
            stay.append(sender)
    msq.q_senders = [] if kill else woken + stay


# -- msgctl --------------------------------------------------------------------------------------


def sys_msgctl(k: "Kernel", msqid: int, cmd: int) -> Path[int | tuple[int, int]]:
    """Remove a queue, or describe it.

    Returns:
        IPC_STAT: ``(messages, bytes)``; IPC_RMID: 0.

    Raises:
        KernelError: EINVAL, no such queue or command; EACCES; EPERM.

    Source: ipc/msg.c:ksys_msgctl(), msgctl_stat(), msgctl_down().
    """
    k.now_ns += k.costs.ipc_op
    if msqid < 0 or cmd not in (IPC_RMID, IPC_STAT):
        raise KernelError(EINVAL)
    ids = current_ipc_ns(k).msg
    if cmd == IPC_STAT:
        msq: MsgQueue = ipc_obtain_object_check(ids, msqid)
        if ipcperms(k, msq.perm, S_IRUGO):
            raise KernelError(EACCES)
        yield "msgctl_stat.lock", ACQUIRE, msq.perm.lock
        gone = msq.perm.deleted
        counts = len(msq.q_messages), msq.q_cbytes
        yield "msgctl_stat.unlock", RELEASE, msq.perm.lock
        if gone:
            raise KernelError(EIDRM)
        return counts
    yield "msgctl_down.rwsem", ACQUIRE, ids.rwsem
    wake_q: list[TaskStruct] = []
    msq, errno = ipcctl_obtain_check(k, ids, msqid)
    if not errno:
        yield "msgctl_down.lock", ACQUIRE, msq.perm.lock
        freeque(k, ids, msq, wake_q)
        yield "msgctl_down.unlock", RELEASE, msq.perm.lock
    yield "msgctl_down.rwsem_done", RELEASE, ids.rwsem
    if errno:
        raise KernelError(errno)
    for task in wake_q:
        yield from wake_up_process(k, task)
    return 0


def freeque(k: "Kernel", ids: IpcIds, msq: MsgQueue, wake_q: list[TaskStruct]) -> None:
    """Remove a queue; its sleepers fail with EIDRM. Caller holds both locks.

    Source: ipc/msg.c:freeque(), expunge_all().
    """
    assert_held(k, ids.rwsem, exclusive=True)
    assert_held(k, msq.perm.lock)
    remove_queue(ids, msq, wake_q)


def remove_queue(ids: IpcIds, msq: MsgQueue, wake_q: list[TaskStruct]) -> None:
    """Remove a queue that nobody else can get at; as freeque(), of which this is a part."""
    for receiver in msq.q_receivers:
        receiver.errno = EIDRM
        wake_q.append(receiver.task)
    msq.q_receivers = []
    _ss_wakeup(msq, wake_q, True)
    ipc_rmid(ids, msq.perm)
    msq.q_messages = []
    msq.q_cbytes = 0
