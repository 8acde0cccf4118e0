"""All scheduling classes: the one place where a class is made known.

To add a class, write it (one file, see ``kernel.sched.sched_class``) and name it in ``CLASSES``.
Its rank says where it stands. Of the fair ones a machine has the one that ``MachineSpec.fair``
names (``sched.fair`` in a configuration), of every other rank all there are.

A class that is not part of smplab needs no line here: ``sched.fair: FILE.py:CLASS``, or the name of
an entry point of the group ``smplab.sched_classes`` (``cluster.sched_classes``).

Source: include/asm-generic/vmlinux.lds.h (SCHED_DATA, the order of classes).
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.sched.cfs import cfs_sched_class
from kernel.sched.idle import idle_sched_class
from kernel.sched.rt import rt_sched_class
from kernel.sched.sched_class import FAIR_RANK, SchedClass
from kernel.sched.tunables import make_tunables

if TYPE_CHECKING:
    from kernel.machine import MachineSpec

CLASSES: Final[tuple[SchedClass, ...]] = (
    rt_sched_class,
    cfs_sched_class,
    idle_sched_class,
)
# fair classes that are meant to come, so that their names are not taken
PLANNED: Final = ("eevdf", "o1")

_registered: Final[dict[str, SchedClass]] = {}


def register(cls: SchedClass) -> None:
    """Make a fair class from outside known by its name, in this process; again is no error.

    Raises:
        ValueError: the name stands for another class already, or the class is not a fair one.
    """
    if cls.name in PLANNED or any(cls.name == own.name for own in CLASSES):
        raise ValueError(f"the name {cls.name!r} is taken by a class of smplab")
    if cls.rank != FAIR_RANK:
        raise ValueError(f"{cls.name}: a class of one's own is a fair one (rank {FAIR_RANK})")
    if _registered.setdefault(cls.name, cls) is not cls:
        raise ValueError(f"the name {cls.name!r} stands for another class in this process")


def fair_classes() -> dict[str, SchedClass]:
    """Return the fair classes that this process knows, by name."""
    own = {cls.name: cls for cls in CLASSES if cls.rank == FAIR_RANK}
    return {**own, **_registered}


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
    if name in PLANNED:
        raise ValueError(f"fair scheduler {name!r} is not implemented yet (there is: {have})")
    raise ValueError(f"unknown fair scheduler {name!r} (there is: {have})")


def classes_of(spec: "MachineSpec") -> tuple[SchedClass, ...]:
    """Return the classes of a machine, highest first.

    Raises:
        ValueError: ``spec.fair`` names none.
    """
    fair = fair_class_by_name(spec.fair)
    others = [cls for cls in CLASSES if cls.rank != FAIR_RANK]
    return tuple(sorted([*others, fair], key=lambda cls: cls.rank))


def tunables_of(spec: "MachineSpec", cls: SchedClass) -> Any:
    """Return the tunables of ``cls`` as the machine has them."""
    return make_tunables(cls.tunables, spec.sched_tunables.get(cls.name))


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
    return f"{text} (EEVDF, its own, is not there yet)" if linux == "6.12" else text
