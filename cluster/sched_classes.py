"""Scheduling classes that are not part of smplab: found, checked, and brought to every process.

``sched.fair`` names a fair one, ``sched.classes`` those of other ranks, in either of two ways.
``FILE.py:CLASS`` is a class (or an object) in a file, taken from the configuration's folder. The
text of the file goes with the machine (``MachineSpec.fair_from``, ``classes_from``), as guest
programs do, so the actors of a cluster need not have the file. A plain name is that of an entry
point in the group ``smplab.sched_classes``, of a package that every host then has.

Both are Python that runs with all rights of the user: naming one in a configuration is like
starting it, ``smplab validate`` included.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from cluster.plugins import (
    SCHED_CLASS,
    PluginError,
    Source,
    load,
    misfits,
    said,
    source_of,
    strangers,
)
from kernel.machine import MachineSpec
from kernel.sched.classes import register
from kernel.sched.ext import ExtScheduler, ExtTunables
from kernel.sched.ext_class import ExtClass
from kernel.sched.sched_class import CLASS_ORDER, FAIR_RANK, SchedClass
from kernel.smp.ext import ExtHalf
from kernel.smp.smp_class import SmpClass
from kernel.uapi.policy import FAIR_POLICIES, POLICY_NAMES

# the operations of a class and what they are called with; the first four it must have
_OPERATIONS: Final = {
    "enqueue_task": "rq, p, flags",
    "dequeue_task": "rq, p, flags",
    "pick_next_task": "rq",
    "queued": "rq",
    "is_queued": "p",
    "make_rq": "tunables, spec",
    "make_entity": "",
    "put_prev_task": "rq, p",
    "set_next_task": "rq, p",
    "wakeup_preempt": "rq, p, flags",
    "may_preempt": "rq",
    "left_behind": "rq",
    "yield_task": "rq",
    "param_changed": "rq, p, priority, own",
    "told": "rq, key, data",
    "task_tick": "rq, p",
    "skip_ticks": "rq, p, first_ns, ticks, tick_ns",
    "hrtick_slice": "rq, p, update",
    "rq_tick": "rq",
    "update_curr": "rq",
    "task_fork": "rq, parent, child, flags",
    "setparam": "rq, p, priority, own",
    "task_woken": "rq, p",
    "task_dead": "rq, p",
    "switched_from": "rq, p",
    "switched_to": "rq, p",
    "prio_changed": "rq, p, old_nice",
    "join_group": "rq, p",
    "leave_group": "rq, p",
    "set_load_weight": "p",
    "reweight_task": "rq, p",
    "timer": "rq, at_ns, key, data",
    "migrate_task_rq": "rq, p",
    "detach_one": "rq, dst",
    "migration_candidate": "rq",
    "task_load": "p",
    "task_h_load": "rq, p",
    "task_hot": "rq, p, dest_runs",
    "pushable_task": "rq, p, dst",
    "check": "rq, found",
}
_NEEDED: Final = tuple(_OPERATIONS)[:4]
# those of a kernel.sched.ext.ExtScheduler
_CALLBACKS: Final = {
    "init": "",
    "select_cpu": "p, prev_cpu, wake_flags",
    "enqueue": "p, enq_flags",
    "dequeue": "p, deq_flags",
    "dispatch": "cpu, prev",
    "tick": "p",
    "runnable": "p, enq_flags",
    "running": "p",
    "stopping": "p, runnable",
    "quiescent": "p, deq_flags",
    "init_task": "p",
    "exit_task": "p",
    "enable": "p",
    "disable": "p",
    "set_weight": "p, weight",
}
# what sched_ext has besides. Source: kernel/sched/ext.c (struct sched_ext_ops)
_NOT_HERE: Final = (
    "cgroup_cancel_move",
    "cgroup_exit",
    "cgroup_init",
    "cgroup_move",
    "cgroup_prep_move",
    "cgroup_set_weight",
    "core_sched_before",
    "cpu_acquire",
    "cpu_offline",
    "cpu_online",
    "cpu_release",
    "dump",
    "dump_cpu",
    "dump_task",
    "exit",
    "set_cpumask",
    "update_idle",
    "yield_",
)
_RESERVED: Final = (
    "auto",
    "classes",
    "fair",
    "child_runs_first",
    "hrtick",
    "watchdog",
    "latency",
    "min_granularity",
    "wakeup_granularity",
)


class SchedClassError(Exception):
    """A class cannot be had, or is none; the message is one line."""


@dataclass(frozen=True, slots=True)
class Found:
    """A class from outside, and where it comes from, as ``MachineSpec.fair_from`` has it."""

    cls: SchedClass
    source: Source


def find(name: str, folder: Path, fair: bool = True) -> Found:
    """Return the class that ``sched.fair`` or ``sched.classes`` names, made known to this process.

    Args:
        name: FILE.py:CLASS, or an installed one's.
        folder: what FILE.py is relative to.
        fair: whether it is to be of the rank fair, or of another.

    Raises:
        SchedClassError: there is none, it cannot be loaded, or it is no such scheduling class.
    """
    try:
        return _made(source_of(name, folder), fair)
    except PluginError as error:
        raise SchedClassError(str(error)) from None


def bring(spec: MachineSpec) -> None:
    """Make the classes of a machine known to this process: before its first runqueue.

    Raises:
        SchedClassError: as ``find``; on another host than the one that checked the configuration.
    """
    if spec.fair_from:
        _made(spec.fair_from, True)
    for source in spec.classes_from:
        _made(source, False)


_found: Final[dict[Source, SchedClass]] = {}


def _made(source: Source, fair: bool) -> Found:
    cls = _found.get(source)
    if cls is None or (cls.rank == FAIR_RANK) != fair:
        try:
            cls = _object(load(SCHED_CLASS, source), fair)
        except PluginError as error:
            raise SchedClassError(str(error)) from error.__cause__
        _found[source] = cls
    try:
        register(cls)
    except ValueError as error:
        raise SchedClassError(str(error)) from None
    return Found(cls, source)


def _object(found: Any, fair: bool) -> SchedClass:
    """Return the scheduling class that was found, checked."""
    if isinstance(found, type) and issubclass(found, ExtScheduler):
        found = _of_scheduler(found)
    if isinstance(found, type) and issubclass(found, SchedClass):
        try:
            made: Any = found
            found = made()
        except (Exception, SystemExit) as error:
            raise SchedClassError(f"{found.__name__}() raises {said(error)}") from error
    if not isinstance(found, SchedClass):
        raise SchedClassError(
            f"{getattr(found, '__name__', found)!r} is no kernel.sched.sched_class.SchedClass, "
            "nor derived from kernel.sched.ext.ExtScheduler"
        )
    problems = list(_problems(found, fair))
    if problems:
        raise SchedClassError(f"{type(found).__name__}: {'; '.join(problems)}")
    return found


def _of_scheduler(make: type[ExtScheduler]) -> ExtClass:
    """Return the class that a scheduler of the small protocol makes (``kernel.sched.ext``)."""
    own = {
        operation: parameters
        for operation, parameters in _CALLBACKS.items()
        if getattr(make, operation) is not getattr(ExtScheduler, operation)
    }
    problems = [*misfits(make, own), *strangers(make, ExtScheduler, _CALLBACKS)]
    problems.extend(
        f"{name} of sched_ext is not here: nobody would call it"
        for name in _NOT_HERE
        if callable(getattr(make, name, None))
    )
    if not (isinstance(make.Tunables, type) and issubclass(make.Tunables, ExtTunables)):
        problems.append(f"its Tunables must derive from ExtTunables (got {make.Tunables!r})")
    if problems:
        raise SchedClassError(f"{make.__name__}: {'; '.join(problems)}")
    try:
        make()
    except (Exception, SystemExit) as error:
        raise SchedClassError(f"{make.__name__}() raises {said(error)}") from error
    half = ExtHalf(make)
    half.cls = cls = ExtClass(make, half)
    return cls


def _problems(cls: SchedClass, fair: bool) -> Iterator[str]:
    try:
        name, rank, policies, tunables = cls.name, cls.rank, cls.policies, cls.tunables
    except AttributeError:
        yield "its __init__ does not call SchedClass.__init__"
        return
    if type(name) is not str or not name.isidentifier() or name in _RESERVED:
        yield f"its name must be an identifier, and no key of sched (got {name!r})"
    for text in (cls.title, cls.as_of):
        if type(text) is not str or not text.isprintable():
            yield f"title and as_of must be texts of one line (got {text!r})"
    if type(policies) is not tuple:
        yield f"its policies must be a tuple (got {policies!r})"
    elif fair:
        yield from _fair_problems(rank, policies)
    else:
        yield from _other_problems(cls)
    for operation in _NEEDED:
        if getattr(type(cls), operation) is getattr(SchedClass, operation):
            yield f"it has no {operation}"
    own = {
        operation: parameters
        for operation, parameters in _OPERATIONS.items()
        if getattr(type(cls), operation, None) is not getattr(SchedClass, operation)
    }
    yield from misfits(cls, own)
    yield from strangers(type(cls), SchedClass, _OPERATIONS)
    parameters = getattr(tunables, "__dataclass_params__", None)
    if not is_dataclass(tunables) or not getattr(parameters, "frozen", False):
        yield "its tunables must be a frozen dataclass"
        return
    for each in fields(tunables):
        if "kind" not in each.metadata:
            yield (f"the tunable {each.name} must be made by a function of kernel.sched.tunables")


def _fair_problems(rank: Any, policies: Any) -> Iterator[str]:
    if rank != FAIR_RANK:
        yield f"its rank must be that of the fair class, {FAIR_RANK} (got {rank!r})"
    if set(policies) != set(FAIR_POLICIES):
        yield f"its policies must be those of the fair class, {FAIR_POLICIES} (got {policies!r})"


def _other_problems(cls: SchedClass) -> Iterator[str]:
    rank, policies, half = cls.rank, cls.policies, cls.half
    if type(rank) is not int or not 0 <= rank < len(CLASS_ORDER) or rank == FAIR_RANK:
        order = ", ".join(
            f"{number} {name}" for number, name in enumerate(CLASS_ORDER) if number != FAIR_RANK
        )
        yield f"its rank must be one of {order} (got {rank!r}; a fair class is named in sched.fair)"
    wrong = [each for each in policies if each in FAIR_POLICIES or each not in POLICY_NAMES]
    if wrong:
        yield f"policies that it cannot have: {', '.join(map(str, wrong))}"
    if half is not None and not isinstance(half, SmpClass):
        yield f"its half must be a kernel.smp.smp_class.SmpClass (got {half!r})"
    elif half is not None and half.rank != rank:
        yield f"its half is of the rank {half.rank}, it of the rank {rank!r}"
