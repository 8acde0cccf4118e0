"""The key ``sched:``: which scheduling classes a machine has, and what is configured of each.

Every class has a section with its name, whose keys are its tunables: it is made from the dataclass
that the class declares (``kernel.sched.tunables``). A class of one's own that ``sched.fair`` names
has one as well; ``sched_with`` makes the model of such a configuration.
"""

from collections.abc import Iterator
from dataclasses import Field as Field_
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import ConfigDict, Field, create_model

from cluster.config.errors import got
from cluster.config.model import Model
from cluster.config.quantities import Duration, OneOf, OneOfOrOwn, format_ns
from cluster.plugins import SCHED_CLASS
from kernel.machine import MachineSpec
from kernel.sched import tunables as t
from kernel.sched.cfs import cfs_sched_class
from kernel.sched.classes import CLASSES, classes_of, tunables_of
from kernel.sched.fork_order import WORDS
from kernel.sched.sched_class import FAIR_RANK, SchedClass

FAIR_CLASSES: Final = tuple(cls.name for cls in CLASSES if cls.rank == FAIR_RANK)
OTHERS: Final = tuple(cls.name for cls in CLASSES if cls.rank != FAIR_RANK)
# keys of sched itself that mean tunables of cfs
SHORT: Final = ("latency", "min_granularity", "wakeup_granularity")


WATCHDOG: Final = "watchdog_ns"  # a tunable of every scheduler of the small protocol


def _type_of(metadata: Any) -> Any:
    """Return the type of a key, bounds and meaning included, from the metadata of a tunable."""
    kind, about = metadata["kind"], metadata["about"]
    if kind == t.DURATION:
        off = metadata["off"]
        return Annotated[int, Duration(metadata["least"], metadata["most"], about, off=off)]
    if kind == t.INTEGER:
        bounds = Field(ge=metadata["least"], le=metadata["most"], description=about)
        return Annotated[int, bounds]
    if kind == t.CHOICE:
        return Annotated[str, OneOf(*metadata["words"]), Field(description=about)]
    return Annotated[bool, Field(description=about)]


@cache
def section(cls: SchedClass) -> type[Model]:
    """Return the model of the section of a class."""
    keys: dict[str, Any] = {
        t.key_of(each.name): (_type_of(each.metadata), each.default)
        for each in fields(cls.tunables)
    }
    name = "".join(word.capitalize() for word in cls.name.split("_"))
    made: type[Model] = create_model(
        f"{name}Tunables", __base__=Model, __doc__=f"Tunables of the class {cls.name}.", **keys
    )
    return made


def _short(key: str) -> Any:
    (metadata,) = (
        each.metadata for each in fields(cfs_sched_class.tunables) if t.key_of(each.name) == key
    )
    about = f"Short for sched.cfs.{key}. {metadata['about']}"
    return Annotated[int, Duration(metadata["least"], metadata["most"], about)] | None


class SchedKeys(Model):
    """The scheduler's policies, and a section of tunables for each class."""

    fair: Annotated[
        str,
        OneOfOrOwn("auto", *FAIR_CLASSES, kind=SCHED_CLASS),
        Field(
            description="Class of normal tasks; auto: the profile's (eevdf for linux: 6.12, cfs "
            "for 2.6.34); or one of your own, FILE.py:CLASS, or the name of an installed one."
        ),
    ] = "auto"
    classes: Annotated[
        list[Annotated[str, OneOfOrOwn(*OTHERS, kind=SCHED_CLASS)]],
        Field(
            max_length=5,
            description="Classes of your own of other ranks than fair, each in place of the one of "
            "its rank, if there is one: FILE.py:CLASS, or the name of an installed one.",
        ),
    ] = Field(default_factory=list)
    child_runs_first: Annotated[
        str,
        OneOf(*WORDS),
        Field(
            description="Whether a forked child goes before its parent; auto: as Linux did it with "
            "this class (o1: unless the two share memory; otherwise not)."
        ),
    ] = "auto"
    hrtick: Annotated[
        bool,
        Field(
            description="A slice ends when it is used up, not at the next tick (HRTICK of Linux's "
            "sched features): of cfs and eevdf."
        ),
    ] = False
    autogroup: Annotated[
        bool | str,
        OneOf("auto", True, False),
        Field(
            description="Each session is a group of tasks, and groups share the CPU equally; auto: "
            "where kernel and fair class have groups of sessions (not 2.6.34, not o1)."
        ),
    ] = "auto"
    watchdog: (
        Annotated[
            int,
            Duration(
                1_000_000,
                3_600_000_000_000,
                "A runnable task that a scheduler of your own has not run for as long ends the "
                "run; 30s by default.",
            ),
        ]
        | None
    ) = None

    def given(self, name: str) -> set[str]:
        """Return the keys that are written in the section of a class."""
        part = getattr(self, name, None)
        return set() if part is None or name not in self.model_fields_set else part.model_fields_set

    def changed(self, cls: SchedClass, linux: str) -> dict[str, Any]:
        """Return the tunables of a class that are not as by default in the profile ``linux``."""
        default = t.defaults(cls.tunables, linux)
        return {
            name: value
            for name, value in self.tunables(cls, linux).items()
            if value != default[name]
        }

    def tunables(self, cls: SchedClass, linux: str) -> dict[str, Any]:
        """Return what a class has in the profile ``linux``, by the names of its fields."""
        values = t.defaults(cls.tunables, linux)
        given = self.given(cls.name)
        for name in values:
            if t.key_of(name) in given:
                values[name] = getattr(getattr(self, cls.name), t.key_of(name))
        if cls is cfs_sched_class:
            short = {f"{key}_ns": getattr(self, key) for key in SHORT}
            values.update({name: value for name, value in short.items() if value is not None})
        if WATCHDOG in values and self.watchdog is not None:
            values[WATCHDOG] = self.watchdog
        return values


def _sections(classes: tuple[SchedClass, ...]) -> dict[str, Any]:
    return {cls.name: (section(cls), section(cls)()) for cls in classes if fields(cls.tunables)}


if TYPE_CHECKING:
    Sched = SchedKeys
else:
    Sched = create_model(
        "Sched",
        __base__=SchedKeys,
        __doc__=SchedKeys.__doc__,
        **{key: (_short(key), None) for key in SHORT},
        **_sections(CLASSES),
    )


class AnySched(Sched):
    """For a configuration with a class that cannot be had: nobody knows which keys that has."""

    model_config = ConfigDict(extra="ignore")


def sched_with(*classes: SchedClass) -> type[SchedKeys]:
    """Return the model of ``sched:`` in a configuration with these classes from outside."""
    sections: Any = _sections(classes)
    made: type[SchedKeys] = create_model("Sched", __base__=Sched, **sections)
    return made


def conflicts(
    sched: SchedKeys, fair: SchedClass, classes: tuple[SchedClass, ...], linux: str
) -> Iterator[tuple[tuple[str | int, ...], bool, str]]:
    """Yield what is wrong between keys: the path below sched, whether it is of the key, what.

    Args:
        fair: the class that ``sched.fair`` names.
        classes: all of the machine.
        linux: its profile.
    """
    for place, name in enumerate(sched.classes):
        if any(cls.name == name and linux in cls.absent for cls in CLASSES):
            yield ("classes", place), False, f"Linux {linux} has no class {name} {got(name)}"
    for key in SHORT:
        if getattr(sched, key) is None:
            continue
        if fair is not cfs_sched_class:
            yield (key,), True, f"is for fair: cfs (sched.fair is {fair.name})"
        elif key in sched.given("cfs"):
            yield (key,), True, f"says the same as sched.cfs.{key}: write one of the two"
    if sched.hrtick and not fair.hrtick:
        yield ("hrtick",), True, f"is for a fair class with slices (sched.fair is {fair.name})"
    if sched.autogroup is True and not fair.takes_groups:
        yield ("autogroup",), False, f"the class {fair.name} has no groups of tasks {got(True)}"
    elif sched.autogroup is True and linux == "2.6.34":
        what = "Linux 2.6.34 has no groups of sessions (2.6.38 does)"
        yield ("autogroup",), False, f"{what} {got(True)}"
    if sched.watchdog is not None:
        if WATCHDOG not in {each.name for each in fields(fair.tunables)}:
            yield ("watchdog",), True, f"is for a scheduler of your own (sched.fair is {fair.name})"
        elif "watchdog" in sched.given(fair.name):
            what = f"says the same as sched.{fair.name}.watchdog: write one of the two"
            yield ("watchdog",), True, what
    for cls in CLASSES:
        if cls.rank == FAIR_RANK and cls is not fair and cls.name in sched.model_fields_set:
            yield (cls.name,), True, f"is for fair: {cls.name} (sched.fair is {fair.name})"
    for cls in CLASSES:
        if cls not in classes and cls.rank != FAIR_RANK and cls.name in sched.model_fields_set:
            own = [f"sched.classes has {other.name}" for other in classes if other.rank == cls.rank]
            why = "".join(own) or f"Linux {linux} has none"
            yield (cls.name,), True, f"is for the class {cls.name} ({why})"
    for cls in classes:
        for each in fields(cls.tunables):
            only, key = each.metadata.get("only", ""), t.key_of(each.name)
            if only not in ("", linux) and key in sched.given(cls.name):
                yield (cls.name, key), True, f"is for linux: {only} (linux is {linux})"
    for cls in sorted(classes, key=lambda cls: cls.rank == FAIR_RANK):
        yield from _too_large(sched, cls, linux)


def _too_large(
    sched: SchedKeys, cls: SchedClass, linux: str
) -> Iterator[tuple[tuple[str, ...], bool, str]]:
    """Yield the tunables of a class that exceed the one they must not exceed."""
    values = sched.tunables(cls, linux)
    for each in fields(cls.tunables):
        other = each.metadata.get("at_most", "")
        if not other or values[each.name] <= values[other]:
            continue
        duration = each.metadata["kind"] == t.DURATION
        show = format_ns if duration else str
        where, bound = (_place(sched, cls, name) for name in (each.name, other))
        what = f"must not exceed sched.{'.'.join(bound)}, {show(values[other])}"
        yield where, False, f"{what} (got {show(values[each.name])})"


def _place(sched: SchedKeys, cls: SchedClass, name: str) -> tuple[str, ...]:
    """Return the key below sched in which a tunable was written."""
    key = t.key_of(name)
    if cls is cfs_sched_class and getattr(sched, key, None) is not None:
        return (key,)
    return (cls.name, key)


def _written(metadata: Any, value: Any) -> str:
    """Return the value of a tunable as one writes it in a configuration."""
    if metadata["kind"] == t.DURATION:
        return "off" if value < 0 else format_ns(value)
    return str(value).lower() if type(value) is bool else str(value)


def _default_text(each: "Field_[Any]") -> str:
    """Return the default of a tunable, and those of profiles that have another."""
    data = each.metadata
    others = [
        f" ({linux}: {_written(data, value)})" for linux, value in data.get("by_linux", {}).items()
    ]
    return f"{_written(data, each.default)}{''.join(others)}"


def tunable_rows(cls: SchedClass) -> Iterator[tuple[str, str]]:
    """Yield key and meaning, with default and bounds, of every tunable of a class."""
    for each in fields(cls.tunables):
        data = each.metadata
        if "least" in data:
            least, most = (_written(data, data[bound]) for bound in ("least", "most"))
            bounds = f", from {least} to {most}{', or off' if data.get('off') else ''}"
            bounds += f"; linux: {data['only']} only" if data.get("only") else ""
        else:
            bounds = f", of {', '.join(data['words'])}" if "words" in data else ""
        key = f"sched.{cls.name}.{t.key_of(each.name)}"
        yield key, f"{data['about']} Default {_default_text(each)}{bounds}."


def classes_text(spec: MachineSpec) -> str:
    """Return the classes of a machine, with the tunables that are not as by default."""
    shown = []
    for cls in classes_of(spec):
        values, default = tunables_of(spec, cls), t.defaults(cls.tunables, spec.linux)
        changed = [
            f"{t.key_of(each.name)} {_written(each.metadata, getattr(values, each.name))}"
            for each in fields(cls.tunables)
            if getattr(values, each.name) != default[each.name]
        ]
        shown.append(f"{cls.name} ({', '.join(changed)})" if changed else cls.name)
    return ", ".join(shown)
