"""The keys ``machine.nohz`` and ``machine.nohz_full``: who takes the tick.

A list of CPUs is written as on Linux's boot line: ``1-3,7``, ``0-31:2/8``.

Source: lib/bitmap.c:bitmap_parselist(), Documentation/admin-guide/kernel-parameters.rst.
Deviation: no ``all`` and no ``N``, which follow from how many CPUs there are.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from cluster.config.quantities import QuantityError

_PART: Final = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5})(?::([0-9]{1,5})/([0-9]{1,5}))?)?")
PATTERN: Final = r"^[0-9]+(-[0-9]+(:[0-9]+/[0-9]+)?)?(,[0-9]+(-[0-9]+(:[0-9]+/[0-9]+)?)?)*$"
_WANTED: Final = "must be CPUs and ranges of them, as in 1-3,7"


def parse_cpulist(value: Any) -> tuple[int, ...]:
    """Return the CPUs that ``value`` names, in order.

    Args:
        value: the text, or the number of one CPU.

    Raises:
        QuantityError: it is neither; a range ends before it begins, or its groups are none.
    """
    if type(value) is int and value >= 0:
        return (value,)
    if type(value) is not str:
        raise QuantityError(_WANTED)
    cpus: set[int] = set()
    for part in value.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise QuantityError(_WANTED)
        first, last, used, group = (None if text is None else int(text) for text in match.groups())
        assert first is not None
        last = first if last is None else last
        if last < first:
            raise QuantityError(f"range {part.strip()} ends before it begins")
        if used is None or group is None:
            used = group = last - first + 1
        if not 0 < used <= group:
            raise QuantityError(f"range {part.strip()}: of a group of {group} not {used} are taken")
        cpus |= {cpu for cpu in range(first, last + 1) if (cpu - first) % group < used}
    return tuple(sorted(cpus))


class CpuList:
    """Annotation of a field that holds a tuple of CPUs, written as a list of Linux's."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(parse_cpulist)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        text = {"type": "string", "pattern": PATTERN}
        return {"anyOf": [text, {"type": "integer", "minimum": 0}]}


def conflicts(nohz: str, listed: tuple[int, ...] | None, cpus: int) -> Iterator[tuple[str, str]]:
    """Yield what does not go together, as ``(key of machine, what)``.

    CPUs that are to be without a tick need ``full``, and one other CPU that keeps the time.

    Args:
        nohz: who takes the tick (``kernel.machine.NOHZ``).
        listed: ``nohz_full``, None if it is not written.
        cpus: how many there are.
    """
    if listed is None:
        if nohz == "full":
            yield "nohz", "full needs machine.nohz_full, the CPUs that it is for"
    elif nohz != "full":
        yield "nohz_full", f"is for machine.nohz: full (it is {nohz})"
    elif listed[-1] >= cpus:
        yield "nohz_full", f"names CPU {listed[-1]}, and the last of {cpus} is {cpus - 1}"
    elif len(listed) == cpus:
        yield "nohz_full", "must leave out one CPU: somebody has to keep the time"
