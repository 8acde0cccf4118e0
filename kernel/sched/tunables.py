"""How a scheduling class says what of it can be configured.

A class declares its tunables as a frozen dataclass, each field by one of the functions below::

    @dataclass(frozen=True)
    class CfsTunables:
        latency_ns: int = duration(6_000_000, 100_000, NSEC_PER_SEC, "Period in which …")

and gets an instance in ``make_rq``. In a configuration the fields are the keys of ``sched.NAME``;
``_ns`` is left off, since durations are written with their unit there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

DURATION: Final = "duration"
INTEGER: Final = "integer"
CHOICE: Final = "choice"
SWITCH: Final = "switch"


@dataclass(frozen=True)
class NoTunables:
    """Of a class that has none."""


def duration(
    default_ns: int,
    least_ns: int,
    most_ns: int,
    about: str,
    at_most: str = "",
    by_linux: Mapping[str, int] | None = None,
    only: str = "",
    off: bool = False,
) -> Any:
    """Return a field for a time in ns.

    Args:
        default_ns: what it is if nothing is configured.
        least_ns: lower bound.
        most_ns: upper bound.
        about: its meaning, a sentence.
        at_most: another field that it must not exceed.
        by_linux: profile -> default there, where that is another.
        only: the profile that has it, if not all do.
        off: it may be ``off``, which is -1.
    """
    more: dict[str, Any] = {"least": least_ns, "most": most_ns, "at_most": at_most}
    more.update(only=only, off=off)
    return _field(DURATION, default_ns, about, **more, by_linux=by_linux or {})


def integer(default: int, least: int, most: int, about: str, at_most: str = "") -> Any:
    """Return a field for a number. ``at_most``: another field that it must not exceed."""
    return _field(INTEGER, default, about, least=least, most=most, at_most=at_most)


def choice(default: str, words: Sequence[str], about: str) -> Any:
    """Return a field for one of some words."""
    return _field(CHOICE, default, about, words=tuple(words))


def switch(default: bool, about: str) -> Any:
    """Return a field for true or false."""
    return _field(SWITCH, default, about)


def _field(kind: str, default: Any, about: str, **more: Any) -> Any:
    return field(default=default, metadata={"kind": kind, "about": about, **more})


def key_of(name: str) -> str:
    """Return how the field ``name`` is called in a configuration."""
    return name.removesuffix("_ns")


def defaults(tunables: type, linux: str) -> dict[str, Any]:
    """Return what the fields of ``tunables`` are by default in the profile ``linux``."""
    return {
        each.name: each.metadata.get("by_linux", {}).get(linux, each.default)
        for each in fields(tunables)
    }


def make_tunables(tunables: type, values: Mapping[str, Any] | None, linux: str = "") -> Any:
    """Return an instance of ``tunables`` with ``values`` for some of its fields.

    The others are as by default in the profile ``linux``.

    Raises:
        ValueError: there is no such field.
    """
    known = [each.name for each in fields(tunables)]
    for name in values or {}:
        if name not in known:
            raise ValueError(f"no tunable {name!r} (there is: {', '.join(known) or 'none'})")
    return tunables(**{**defaults(tunables, linux), **(values or {})})
