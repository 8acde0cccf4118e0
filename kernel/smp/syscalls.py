"""The sched_* system calls: policy, priority, CPU mask.

The policy and the mask are the kernel's (``kernel.process.attrs``); the CPU that has the other half
of the task is told. A task that may no longer run where it is goes to an allowed CPU: at once if it
waits in the queue, at its next return to user mode if it runs. A sleeper moves when it is woken.

Source: kernel/sched/syscalls.c, kernel/sched/core.c.
"""

from typing import TYPE_CHECKING, Final, TypeGuard

from kernel.cred.creds import Cred, capable
from kernel.errors import KernelError
from kernel.events import TASK_CHANGE
from kernel.messages import eff_tune_policy
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.process.attrs import TaskAttrs, attrs_of, new_attrs, set_timer_slack
from kernel.smp.affinity import on_a_cpu, set_cpus_allowed_ptr
from kernel.smp.bandwidth import recount
from kernel.smp.classes import join_class
from kernel.smp.fair import can_nice
from kernel.smp.smp_class import SchedAttr, SmpClass, push_from
from kernel.smp.throttled import throttled_hierarchy
from kernel.smp.weigh import note_load
from kernel.task import PF_NO_SETAFFINITY, TaskStruct
from kernel.uapi.errno_ import E2BIG, EINVAL, EOPNOTSUPP, EPERM, ESRCH
from kernel.uapi.mman import PAGE_SIZE
from kernel.uapi.policy import (
    FAIR_POLICIES,
    RT_POLICIES,
    SCHED_DEADLINE,
    SCHED_EXT,
    SCHED_FLAG_ALL,
    SCHED_FLAG_KEEP_PARAMS,
    SCHED_FLAG_KEEP_POLICY,
    SCHED_FLAG_RESET_ON_FORK,
    SCHED_FLAG_SUGOV,
    SCHED_FLAG_UTIL_CLAMP,
    SCHED_IDLE,
    SCHED_RESET_ON_FORK,
    SchedPolicy,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel

SETPARAM_POLICY: Final = -1
SCHED_ATTR_SIZE_VER0: Final = 48
SCHED_ATTR_SIZE_VER1: Final = 56
# Linux's policies, whether this machine has a class for them or not
_POLICIES: Final[tuple[int, ...]] = (*FAIR_POLICIES, *RT_POLICIES, SCHED_DEADLINE, SCHED_EXT)


def valid_policy(policy: int, k: "Kernel") -> TypeGuard[SchedPolicy]:
    """Tell whether a class of this machine has ``policy``. Source: kernel/sched/sched.h."""
    return policy in k.sched.by_policy


def find_process_by_pid(k: "Kernel", pid: int) -> TaskStruct:
    """Return the task ``pid``, 0 for the caller.

    Raises:
        KernelError: ESRCH.

    Source: kernel/sched/syscalls.c:find_process_by_pid().
    """
    if not pid:
        return k.current
    task = k.pids.find_task_by_vpid(pid)
    if task is None:
        raise KernelError(ESRCH)
    return task


def check_same_owner(k: "Kernel", task: TaskStruct) -> bool:
    """Tell whether ``task`` belongs to the caller's effective user.

    Source: kernel/sched/syscalls.c:check_same_owner().
    """
    euid = k.current.cred.euid
    theirs: Cred = task.cred
    return euid in (theirs.euid, theirs.uid)


# -- policy --------------------------------------------------------------------------------------


def user_check_sched_setscheduler(k: "Kernel", task: TaskStruct, attr: SchedAttr) -> None:
    """Raise KernelError(EPERM) unless the current task may make this change.

    Source: kernel/sched/syscalls.c:user_check_sched_setscheduler().
    """
    old = attrs_of(task)
    allowed = check_same_owner(k, task)
    if not k.sched.by_policy[attr.policy].may_set(k, task, attr):
        allowed = False
    # SCHED_IDLE counts as the nice value 20
    if old.policy == SCHED_IDLE and attr.policy != SCHED_IDLE and not can_nice(k, task, task.nice):
        allowed = False
    if old.reset_on_fork and not attr.reset_on_fork:
        allowed = False
    if not allowed and not capable(k.current.cred):
        raise KernelError(EPERM)


def _own_by_now(k: "Kernel", old: TaskAttrs, half: SmpClass) -> tuple[int, ...]:
    """Return what a task with the attributes ``old`` has by now of what the class keeps.

    A slice is there whatever the policy (``sched_entity.custom_slice``).

    Source: kernel/sched/syscalls.c:_sched_setscheduler().
    """
    if half is k.sched.fair:
        return (old.slice_ns,) if old.slice_ns else ()
    return old.own if half is k.sched.by_policy[old.policy] else ()


def sched_setscheduler(
    k: "Kernel",
    task: TaskStruct,
    policy: int,
    priority: int,
    nice: int,
    reset: bool,
    keep_params: bool = False,
    raw: tuple[int, ...] = (),
    flags: int = 0,
) -> Path[None]:
    """Change policy, priority, nice value and what else the class of the policy has of ``task``.

    Args:
        policy: SCHED_*, or SETPARAM_POLICY to keep the policy and the reset flag.
        priority: 1 to 99 for a real-time policy, else 0.
        nice: of a fair policy.
        reset: SCHED_RESET_ON_FORK.
        keep_params: change the reset flag only (the policy is one of the parameters).
        raw: runtime, deadline and period in ns; () if the call has none.
        flags: SCHED_FLAG_* of sched_setattr().

    Raises:
        KernelError: EINVAL, EPERM; EOPNOTSUPP, a utilisation clamp; and what the class turns a
            task away with.
        GuestFault: REFUSED, a parameter that the class does not emulate.

    Source: kernel/sched/syscalls.c:__sched_setscheduler().
    """
    old = attrs_of(task)
    new: SchedPolicy
    if policy < 0:
        new, reset = old.policy, old.reset_on_fork
    elif valid_policy(policy, k):
        new = policy
    else:
        raise KernelError(EINVAL)
    half = k.sched.by_policy[new]
    least, greatest = half.priorities
    if not least <= priority <= greatest:
        raise KernelError(EINVAL)
    fair = half is k.sched.fair
    attr = SchedAttr(new, priority, nice, reset, raw, flags, _own_by_now(k, old, half))
    own = half.own_attrs(k, attr)
    user_check_sched_setscheduler(k, task, attr)
    if flags & (SCHED_FLAG_SUGOV | SCHED_FLAG_UTIL_CLAMP):
        raise KernelError(EINVAL if flags & SCHED_FLAG_SUGOV else EOPNOTSUPP)
    lock = k.pi_lock(task)
    yield "sched_setscheduler.pi_lock", ACQUIRE, lock
    now = attrs_of(task)
    if policy < 0 and now.policy != old.policy:  # what was checked is of a policy of the past
        yield "sched_setscheduler.recheck", RELEASE, lock
        yield from sched_setscheduler(
            k, task, policy, priority, nice, reset, keep_params, raw, flags
        )
        return
    old = now
    if not keep_params or new != old.policy:
        error = half.admit(k, task, attr, own)
        if error:
            yield "sched_setscheduler.refused", RELEASE, lock
            raise KernelError(error)
    if keep_params:
        if new != old.policy:
            half.task_left(k, task)  # it was let in, and does not come
        new, priority, nice, own = old.policy, old.rt_priority, task.nice, old.own
        half = k.sched.by_policy[new]
        fair = False
    if not half.takes_nice(new):
        nice = task.nice
    throttled = throttled_hierarchy(k, task, task.cpu)
    attrs = _setscheduler_params(k, task, new, priority, nice, reset, own)
    if fair:
        attrs.slice_ns = own[0] if own else 0
    if not keep_params:
        set_timer_slack(attrs, attrs.timer_slack_ns)
    if on_a_cpu(task):
        _tell_policy(k, task, attrs, throttled)
    push_from(k, 0)
    yield "sched_setscheduler.pi_unlock", RELEASE, lock


def _setscheduler_params(
    k: "Kernel",
    task: TaskStruct,
    policy: SchedPolicy,
    priority: int,
    nice: int,
    reset: bool,
    own: tuple[int, ...],
) -> TaskAttrs:
    """Give ``task`` what a policy has. Source: kernel/sched/syscalls.c:__setscheduler_params()."""
    attrs = new_attrs(task)
    if k.tracing:
        if policy != attrs.policy:
            k.emit(TASK_CHANGE, (task.pid, "policy", policy))
        if nice != task.nice:
            k.emit(TASK_CHANGE, (task.pid, "nice", nice))
    attrs.policy = policy
    attrs.rt_priority = priority
    attrs.reset_on_fork = reset
    attrs.own = own
    task.nice = nice
    return attrs


def _tell_policy(k: "Kernel", task: TaskStruct, attrs: TaskAttrs, throttled: bool) -> None:
    """Tell the CPU that has the other half of ``task`` what it is now, and the class that it came.

    ``throttled``: whether it was, in its class before.

    Source: kernel/sched/core.c:check_class_changed().
    """
    note_load(k, task)
    effect = eff_tune_policy(
        k.stamp(task), task.pid, attrs.policy, attrs.rt_priority, task.nice,
        attrs.reset_on_fork, attrs.own,
    )  # fmt: skip
    k.send(task.cpu, effect)
    join_class(k, task)
    recount(k, [task], [throttled])


def do_sched_setscheduler(k: "Kernel", pid: int, policy: int, priority: int) -> Path[None]:
    """Do what sched_setscheduler() and sched_setparam() do.

    Source: kernel/sched/syscalls.c:do_sched_setscheduler(), _sched_setscheduler().
    """
    if pid < 0:
        raise KernelError(EINVAL)
    task = find_process_by_pid(k, pid)
    reset = False
    if policy != SETPARAM_POLICY:
        reset = bool(policy & SCHED_RESET_ON_FORK)
        policy &= ~SCHED_RESET_ON_FORK
    yield from sched_setscheduler(k, task, policy, priority, task.nice, reset)


def sys_sched_setscheduler(k: "Kernel", pid: int, policy: int, priority: int) -> Path[None]:
    """Set policy and real-time priority of a thread.

    Args:
        pid: 0 is the caller.
        policy: SCHED_* | SCHED_RESET_ON_FORK.
        priority: 1 to 99 for SCHED_FIFO and SCHED_RR, else 0.

    Raises:
        KernelError: EINVAL, a negative pid, no such policy or a priority that does not go with it;
            ESRCH; EPERM.

    Source: kernel/sched/syscalls.c:sched_setscheduler().
    """
    if policy < 0:
        raise KernelError(EINVAL)
    return do_sched_setscheduler(k, pid, policy, priority)


def sys_sched_setparam(k: "Kernel", pid: int, priority: int) -> Path[None]:
    """Set the real-time priority of a thread; errors as of ``sys_sched_setscheduler``.

    Source: kernel/sched/syscalls.c:sched_setparam().
    """
    return do_sched_setscheduler(k, pid, SETPARAM_POLICY, priority)


def sys_sched_setattr(
    k: "Kernel",
    pid: int,
    policy: int,
    nice: int,
    priority: int,
    runtime_ns: int,
    deadline_ns: int,
    period_ns: int,
    flags: int,
    size: int,
) -> Path[None]:
    """Set policy, priority, nice value, times and flags of a thread.

    Args:
        runtime_ns: of a deadline task; of a fair one the slice, 0 for that of the machine.
        deadline_ns: of a deadline task, relative; ``period_ns`` 0 stands for the same.
        flags: SCHED_FLAG_*.
        size: how many bytes the caller says its ``struct sched_attr`` has; those beyond are 0.

    Raises:
        KernelError: as ``sys_sched_setscheduler``; E2BIG, a size that no Linux has; EINVAL, other
            flags, a negative policy or times that no deadline task can have; EBUSY, no bandwidth is
            left; EOPNOTSUPP, a utilisation clamp, as of a kernel without CONFIG_UCLAMP_TASK.
        GuestFault: REFUSED, a slice for a fair class that knows none.

    Source: kernel/sched/syscalls.c:sched_setattr(), sched_copy_attr().
    """
    if pid < 0:
        raise KernelError(EINVAL)
    size = size or SCHED_ATTR_SIZE_VER0
    if not SCHED_ATTR_SIZE_VER0 <= size <= PAGE_SIZE:
        raise KernelError(E2BIG)
    if policy < 0 or (flags & SCHED_FLAG_UTIL_CLAMP and size < SCHED_ATTR_SIZE_VER1):
        raise KernelError(EINVAL)
    nice = max(-20, min(nice, 19))
    task = find_process_by_pid(k, pid)
    if flags & ~(SCHED_FLAG_ALL | SCHED_FLAG_SUGOV):
        raise KernelError(EINVAL)
    if flags & SCHED_FLAG_KEEP_POLICY:
        policy = SETPARAM_POLICY
    keep_params = bool(flags & SCHED_FLAG_KEEP_PARAMS)
    reset = bool(flags & SCHED_FLAG_RESET_ON_FORK)
    raw: tuple[int, ...] = (runtime_ns, deadline_ns, period_ns)
    if keep_params:
        # get_params(): what a task of this class does not have stays as the caller wrote it
        old = attrs_of(task)
        half = k.sched.by_policy[old.policy]
        if half is k.sched.fair:
            nice = task.nice
        else:
            priority = old.rt_priority
        kept = half.get_params(k, old)
        raw = kept if kept[1] else (kept[0], *raw[1:])
        if k.sched.by_policy.get(old.policy if policy < 0 else policy) is k.sched.fair:
            raw = ()
    yield from sched_setscheduler(k, task, policy, priority, nice, reset, keep_params, raw, flags)


def sys_sched_getattr(k: "Kernel", pid: int, size: int) -> tuple[int, ...]:
    """Return policy, flags, nice value, priority, runtime, deadline and period (ns) of a thread.

    Args:
        size: how many bytes the caller has room for.

    Raises:
        KernelError: EINVAL, a negative pid or a size that no Linux takes; ESRCH.

    Source: kernel/sched/syscalls.c:sched_getattr().
    """
    if pid < 0 or not SCHED_ATTR_SIZE_VER0 <= size <= PAGE_SIZE:
        raise KernelError(EINVAL)
    task = find_process_by_pid(k, pid)
    attrs = attrs_of(task)
    half = k.sched.by_policy[attrs.policy]
    flags = half.get_flags(attrs) | (SCHED_FLAG_RESET_ON_FORK if attrs.reset_on_fork else 0)
    nice = task.nice if half is k.sched.fair else 0
    return attrs.policy, flags, nice, attrs.rt_priority, *half.get_params(k, attrs)


def sys_sched_getscheduler(k: "Kernel", pid: int) -> int:
    """Return a thread's policy, with SCHED_RESET_ON_FORK if that is set.

    Raises:
        KernelError: EINVAL, a negative pid; ESRCH.

    Source: kernel/sched/syscalls.c:sched_getscheduler().
    """
    attrs = _attrs_by_pid(k, pid)
    return attrs.policy | (SCHED_RESET_ON_FORK if attrs.reset_on_fork else 0)


def sys_sched_getparam(k: "Kernel", pid: int) -> int:
    """Return a thread's real-time priority; errors as of ``sys_sched_getscheduler``.

    Source: kernel/sched/syscalls.c:sched_getparam().
    """
    return _attrs_by_pid(k, pid).rt_priority


def sys_sched_rr_get_interval(k: "Kernel", pid: int) -> int:
    """Return a thread's quantum in ns, 0 for none; errors as of ``sys_sched_getscheduler``.

    Source: kernel/sched/syscalls.c:sched_rr_get_interval().
    """
    if pid < 0:
        raise KernelError(EINVAL)
    task = find_process_by_pid(k, pid)
    attrs = attrs_of(task)
    return k.sched.by_policy[attrs.policy].get_rr_interval(k, task, attrs)


def _attrs_by_pid(k: "Kernel", pid: int) -> TaskAttrs:
    if pid < 0:
        raise KernelError(EINVAL)
    return attrs_of(find_process_by_pid(k, pid))


def sys_sched_get_priority_max(k: "Kernel", policy: int) -> int:
    """Return the highest real-time priority of a policy. Raises KernelError(EINVAL) for no policy.

    Source: kernel/sched/syscalls.c:sched_get_priority_max().
    """
    return _priorities(k, policy)[1]


def sys_sched_get_priority_min(k: "Kernel", policy: int) -> int:
    """Return the lowest real-time priority of a policy. Raises KernelError(EINVAL) for no policy.

    Source: kernel/sched/syscalls.c:sched_get_priority_min().
    """
    return _priorities(k, policy)[0]


def _priorities(k: "Kernel", policy: int) -> tuple[int, int]:
    if valid_policy(policy, k):
        half: SmpClass = k.sched.by_policy[policy]
        return half.priorities
    if policy in _POLICIES and policy <= k.tasks.profile.last_policy:
        return 0, 0
    raise KernelError(EINVAL)


# -- CPU masks -----------------------------------------------------------------------------------


def sys_sched_setaffinity(k: "Kernel", pid: int, mask: int) -> Path[None]:
    """Let a thread run on the CPUs of ``mask`` only; it leaves another one before it runs on.

    Raises:
        KernelError: ESRCH; EPERM, somebody else's; EINVAL, the machine has none of these CPUs, or
            a kernel thread is bound to its CPU; EBUSY, a deadline task needs all CPUs.

    Source: kernel/sched/syscalls.c:sched_setaffinity().
    """
    task = find_process_by_pid(k, pid)
    if task.flags & PF_NO_SETAFFINITY:
        raise KernelError(EINVAL)
    if not check_same_owner(k, task) and not capable(k.current.cred):
        raise KernelError(EPERM)
    online = (1 << k.spec.cpus) - 1
    mask &= online
    error = k.sched.of(task).check_affinity(k, task, mask) or (0 if mask else EINVAL)
    if error:
        raise KernelError(error)
    lock = k.pi_lock(task)
    yield "set_cpus_allowed_ptr.pi_lock", ACQUIRE, lock
    set_cpus_allowed_ptr(k, task, 0 if mask == online else mask)
    yield "set_cpus_allowed_ptr.pi_unlock", RELEASE, lock


def sys_sched_getaffinity(k: "Kernel", pid: int) -> int:
    """Return the CPUs that a thread may use, as a mask.

    Raises:
        KernelError: ESRCH.

    Source: kernel/sched/syscalls.c:sched_getaffinity().
    """
    return attrs_of(find_process_by_pid(k, pid)).cpus_mask or (1 << k.spec.cpus) - 1


def sys_sched_yield(k: "Kernel") -> None:
    """Let others run: a traced caller has, while its tracer looked at the call.

    Source: kernel/sched/syscalls.c:do_sched_yield().
    """
