"""``cpu.max`` and ``cpu.max.burst``: what a group may have, in cgroup v2's words or in ours.

``cpu.max`` is a quota and a period: ``50000 100000`` in us as the file of that name has it, or
``50ms/100ms`` as times are written elsewhere; ``max`` is no quota. Without a period it is 100 ms.

Source: Documentation/admin-guide/cgroup-v2.rst (CPU), kernel/sched/core.c (cpu_max_write,
tg_set_cfs_bandwidth).
"""

import re
from typing import Any, Final

from pydantic import GetJsonSchemaHandler
from pydantic_core import core_schema

from cluster.config.quantities import Checked, QuantityError, duration_ns, format_ns
from kernel.smp.task_groups import DEFAULT_PERIOD_NS, MAX_PERIOD_NS, MAX_RUNTIME_NS, MIN_NS

_WORD: Final = r"([0-9]{1,18}|[0-9]{1,18}(\.[0-9]{1,12})?(ns|us|µs|ms|s|min))"
CPU_MAX_PATTERN: Final = rf"^(max|{_WORD})(( +| */ *){_WORD})?$"
_BURST: Final = r"^[0-9]+((\.[0-9]+)? *(ns|us|µs|ms|s|min))?$"
CPU_MAX_WORDS: Final = "must be a quota and a period such as 50ms/100ms or 50000 100000, or max"
_US: Final = 1000


def _ns(word: str) -> int:
    """Return the ns of a number of us, or of a time with its unit."""
    return int(word) * _US if word.isdigit() else duration_ns(word)


class CpuMax(Checked):
    """Annotation of ``(quota, period)`` in ns; a quota of -1 is none."""

    def check(self, value: Any) -> tuple[int, int]:
        """Return what ``value`` means.

        Raises:
            QuantityError: it means nothing, or is out of its bounds.
        """
        number = isinstance(value, int) and not isinstance(value, bool)
        text = str(value) if number and 0 <= value <= MAX_RUNTIME_NS else value
        if not isinstance(text, str) or not re.fullmatch(CPU_MAX_PATTERN, text):
            raise QuantityError(CPU_MAX_WORDS)
        words = re.split(r"[ /]+", text)
        quota_ns = -1 if words[0] == "max" else _ns(words[0])
        period_ns = _ns(words[1]) if len(words) > 1 else DEFAULT_PERIOD_NS
        if quota_ns != -1 and not MIN_NS <= quota_ns <= MAX_RUNTIME_NS:
            raise QuantityError(f"must have a quota of at least {format_ns(MIN_NS)}, or max")
        if not MIN_NS <= period_ns <= MAX_PERIOD_NS:
            bounds = f"{format_ns(MIN_NS)} to {format_ns(MAX_PERIOD_NS)}"
            raise QuantityError(f"must have a period from {bounds}")
        return quota_ns, period_ns

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        what = "What it may have of all CPUs together in every period: quota and period."
        values = [
            {"type": "string", "pattern": CPU_MAX_PATTERN},
            {"type": "integer", "minimum": 1000},
        ]
        return {"anyOf": values, "description": what}


class Burst(Checked):
    """Annotation of an int of ns: ``20ms``, or a number of us."""

    def check(self, value: Any) -> int:
        """Return what ``value`` means.

        Raises:
            QuantityError: it is no time.
        """
        number = isinstance(value, int) and not isinstance(value, bool)
        burst_ns = value * _US if number else duration_ns(value)
        if not 0 <= burst_ns <= MAX_RUNTIME_NS:
            raise QuantityError("must be 0 or more, and no more than the quota")
        result: int = burst_ns
        return result

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        what = "How much more than its quota it may save up."
        text = {"type": "string", "pattern": _BURST}
        values = [text, {"type": "integer", "minimum": 0}]
        return {"anyOf": values, "description": what}
