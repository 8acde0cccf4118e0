"""Nice values and the load weights that go with them.

Each nice level is worth about 1.25 times the next, so that one level is about 10 % of the CPU
between two tasks. Virtual run time advances by delta * 1024 / weight, computed as Linux does it, by
multiplying with 2^32 / weight and shifting. The multiplier is reduced to 32 bits first; that
reduction depends on the weight alone, so it is done when the weight is set.

Source: kernel/sched/core.c (the two tables), kernel/sched/fair.c:__calc_delta().
"""

from typing import Final

from kernel.uapi.policy import SCHED_IDLE
from kernel.uapi.prio import MIN_NICE

NICE_0_LOAD: Final = 1024
WEIGHT_IDLEPRIO: Final = 3
WMULT_IDLEPRIO: Final = 1431655765
WMULT_CONST: Final = 0xFFFFFFFF

# fmt: off
SCHED_PRIO_TO_WEIGHT: Final[tuple[int, ...]] = (
    88761, 71755, 56483, 46273, 36291,
    29154, 23254, 18705, 14949, 11916,
    9548, 7620, 6100, 4904, 3906,
    3121, 2501, 1991, 1586, 1277,
    1024, 820, 655, 526, 423,
    335, 272, 215, 172, 137,
    110, 87, 70, 56, 45,
    36, 29, 23, 18, 15,
)

SCHED_PRIO_TO_WMULT: Final[tuple[int, ...]] = (
    48388, 59856, 76040, 92818, 118348,
    147320, 184698, 229616, 287308, 360437,
    449829, 563644, 704093, 875809, 1099582,
    1376151, 1717300, 2157191, 2708050, 3363326,
    4194304, 5237765, 6557202, 8165337, 10153587,
    12820798, 15790321, 19976592, 24970740, 31350126,
    39045157, 49367440, 61356676, 76695844, 95443717,
    119304647, 148102320, 186737708, 238609294, 286331153,
)
# fmt: on


def reduce_factor(weight: int, inv_weight: int) -> tuple[int, int]:
    """Return ``(multiplier, shift)`` with delta * multiplier >> shift ~ delta * weight / w.

    ``inv_weight`` is 2^32 / w. The multiplier is cut to 32 bits, which costs the same low bits
    as in Linux.

    Source: kernel/sched/fair.c:__calc_delta(), the part that does not depend on delta.
    """
    factor = weight * inv_weight
    shift = 32
    high = factor >> 32
    if high:
        bits = high.bit_length()
        factor >>= bits
        shift -= bits
    return factor, shift


_VRUNTIME_FACTORS: Final = tuple(reduce_factor(NICE_0_LOAD, w) for w in SCHED_PRIO_TO_WMULT)
_IDLEPRIO_FACTOR: Final = reduce_factor(NICE_0_LOAD, WMULT_IDLEPRIO)


def weight_of(nice: int, policy: int) -> int:
    """Return the load weight of a fair task. Source: kernel/sched/core.c:set_load_weight()."""
    return WEIGHT_IDLEPRIO if policy == SCHED_IDLE else SCHED_PRIO_TO_WEIGHT[nice - MIN_NICE]


def vruntime_factor(nice: int, policy: int) -> tuple[int, int]:
    """Return ``(multiplier, shift)`` that turn run time into virtual run time of such a task."""
    return _IDLEPRIO_FACTOR if policy == SCHED_IDLE else _VRUNTIME_FACTORS[nice - MIN_NICE]


_FACTOR_OF_WEIGHT: Final = {
    WEIGHT_IDLEPRIO: _IDLEPRIO_FACTOR,
    **dict(zip(SCHED_PRIO_TO_WEIGHT, _VRUNTIME_FACTORS, strict=True)),
}


def vruntime_factor_of(weight: int) -> tuple[int, int]:
    """Return what ``vruntime_factor`` does for tasks of this load weight, or does for a group's.

    Source: kernel/sched/fair.c:__update_inv_weight().
    Deviation: a group whose weight is that of a nice value has that one's inverse, too, which Linux
    computes anew and cuts off instead of rounding.
    """
    factor = _FACTOR_OF_WEIGHT.get(weight)
    return factor if factor is not None else reduce_factor(NICE_0_LOAD, WMULT_CONST // weight)
