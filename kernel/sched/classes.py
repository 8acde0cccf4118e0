"""All scheduling classes: the one place where a class is made known.

To add a class, write it (one file, see ``kernel.sched.sched_class``) and name it in ``CLASSES``.
Its rank says where it stands. A machine has one class of a rank: of the fair ones that which
``MachineSpec.fair`` names (``sched.fair`` in a configuration), of another rank smplab's, unless
``MachineSpec.classes`` (``sched.classes``) names one.

A class that is not part of smplab needs no line here, whatever its rank: ``FILE.py:CLASS``, or the
name of an entry point of the group ``smplab.sched_classes``, in one of the two keys
(``cluster.sched_classes``).

Source: include/asm-generic/vmlinux.lds.h (SCHED_DATA, the order of classes).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from kernel.machine import fair_of
from kernel.sched.cfs import cfs_sched_class
from kernel.sched.deadline import deadline_sched_class
from kernel.sched.eevdf import eevdf_sched_class
from kernel.sched.idle import idle_sched_class
from kernel.sched.o1 import o1_sched_class
from kernel.sched.rt import rt_sched_class
from kernel.sched.sched_class import CLASS_ORDER, FAIR_RANK, SchedClass
from kernel.sched.task_group import autogroup_in
from kernel.sched.tunables import defaults, make_tunables
from kernel.uapi.policy import POLICY_NAMES

if TYPE_CHECKING:
    from kernel.machine import MachineSpec

CLASSES: Final[tuple[SchedClass, ...]] = (
    deadline_sched_class,
    rt_sched_class,
    cfs_sched_class,
    eevdf_sched_class,
    o1_sched_class,
    idle_sched_class,
)

_registered: Final[dict[str, SchedClass]] = {}


def register(cls: SchedClass) -> None:
    """Make a class from outside, of any rank, known by its name in this process.

    The same one again is no error.

    Raises:
        ValueError: the name stands for another class already, or the rank is none.
    """
    if any(cls.name == own.name for own in CLASSES):
        raise ValueError(f"the name {cls.name!r} is taken by a class of smplab")
    if not 0 <= cls.rank < len(CLASS_ORDER):
        order = ", ".join(f"{rank} {name}" for rank, name in enumerate(CLASS_ORDER))
        raise ValueError(f"{cls.name}: there is no rank {cls.rank} (there is: {order})")
    if _registered.setdefault(cls.name, cls) is not cls:
        raise ValueError(f"the name {cls.name!r} stands for another class in this process")


def fair_classes() -> dict[str, SchedClass]:
    """Return the fair classes that this process knows, by name."""
    own = {cls.name: cls for cls in CLASSES if cls.rank == FAIR_RANK}
    others = {cls.name: cls for cls in _registered.values() if cls.rank == FAIR_RANK}
    return {**own, **others}


def fair_class_by_name(name: str) -> SchedClass:
    """Return the fair class that ``MachineSpec.fair`` names.

    Raises:
        ValueError: there is none of that name; the message says which there are.
    """
    known = fair_classes()
    found = known.get(name)
    if found is not None:
        return found
    have = ", ".join(known)
    raise ValueError(f"unknown fair scheduler {name!r} (there is: {have})")


def classes_of(spec: "MachineSpec") -> tuple[SchedClass, ...]:
    """Return the classes of a machine, highest first.

    Raises:
        ValueError: ``spec.fair`` or ``spec.classes`` names one that is not there, or classes that
            do not go together: two of one rank, or with a policy in common.
    """
    others = [_class_by_name(name) for name in spec.classes]
    return together(fair_class_by_name(spec.fair), others, spec.linux)


def together(fair: SchedClass, others: Sequence[SchedClass], linux: str) -> tuple[SchedClass, ...]:
    """Return the classes of a machine with this fair one and ``others``, highest first.

    Those of smplab's that the profile ``linux`` does not have yet are left out.

    Raises:
        ValueError: as ``classes_of``.
    """
    chosen = {cls.rank: cls for cls in CLASSES if cls.rank != FAIR_RANK and linux not in cls.absent}
    named: dict[int, SchedClass] = {FAIR_RANK: fair}
    for cls in others:
        other = named.setdefault(cls.rank, cls)
        if other is not cls:
            rank = CLASS_ORDER[cls.rank]
            raise ValueError(f"{other.name} and {cls.name} are both of the rank {rank}")
    chosen.update(named)
    classes = tuple(sorted(chosen.values(), key=lambda cls: cls.rank))
    owners: dict[int, SchedClass] = {}
    for cls in classes:
        for policy in cls.policies:
            other = owners.setdefault(policy, cls)
            if other is not cls:
                name = POLICY_NAMES.get(policy, str(policy))
                raise ValueError(f"{other.name} and {cls.name} both schedule {name}")
    return classes


def _class_by_name(name: str) -> SchedClass:
    known = {**{cls.name: cls for cls in CLASSES}, **_registered}
    if name not in known:
        raise ValueError(f"unknown scheduling class {name!r} (there is: {', '.join(known)})")
    return known[name]


def autogroup_of(spec: "MachineSpec") -> bool:
    """Tell whether every session is a group of its own on this machine (autogroup, 2.6.38).

    Source: kernel/sched/autogroup.c:sysctl_sched_autogroup_enabled.
    """
    return autogroup_in(spec) and fair_class_by_name(spec.fair).takes_groups


def tunables_of(spec: "MachineSpec", cls: SchedClass) -> Any:
    """Return the tunables of ``cls`` as the machine has them."""
    return make_tunables(cls.tunables, spec.sched_tunables.get(cls.name), spec.linux)


def scheduler(fair: str, linux: str) -> str:
    """Return in words which scheduler a machine has, and whether it is its kernel's own.

    Args:
        fair: ``MachineSpec.fair``.
        linux: the profile.
    """
    cls = fair_class_by_name(fair)
    if not cls.as_of:
        return f"scheduler {cls.title}, which no Linux has"
    text = f"scheduler {cls.title} of {cls.as_of}"
    own = fair_class_by_name(fair_of("auto", linux))
    if cls is not own:
        return f"{text} ({linux} has {own.title}: fair: {own.name})"
    differs = defaults(cls.tunables, linux) != defaults(cls.tunables, "")
    return f"{text} with the parameters of {linux}" if differs else text
