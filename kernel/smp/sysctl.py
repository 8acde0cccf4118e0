"""The scheduler's parameters that change while the machine runs: /proc/sys/kernel/sched_*.

``kernel.proc.sched_sysctl`` writes them.

Source: kernel/sched/rt.c (sched_rr_timeslice), kernel/sched/deadline.c
(sysctl_sched_dl_period_max).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kernel.sched.classes import tunables_of
from kernel.sched.deadline import deadline_sched_class
from kernel.sched.rt import rt_sched_class
from kernel.sched.rt_rq import RtTunables, rr_timeslice
from kernel.sched.sched_class import SchedClass

if TYPE_CHECKING:
    from kernel.machine import MachineSpec


class SchedSysctls:
    """What they are now.

    ``rr_ticks``: the quantum of SCHED_RR; ``rr_ms`` as it was written; ``dl_period_min_us`` and
    ``dl_period_max_us``: bounds of the period of a deadline task. ``of_rt`` and ``of_dl``: the
    machine has the class that heeds them, not another one.
    """

    __slots__ = ("dl_period_max_us", "dl_period_min_us", "of_dl", "of_rt", "rr_ms", "rr_ticks")

    def __init__(self, spec: "MachineSpec", classes: Sequence[SchedClass]) -> None:
        tunables: RtTunables = tunables_of(spec, rt_sched_class)
        self.rr_ticks = rr_timeslice(tunables, spec.hz)
        self.rr_ms = self.rr_ticks * 1000 // spec.hz
        self.dl_period_min_us = 100
        self.dl_period_max_us = 1 << 22
        self.of_rt = rt_sched_class in classes
        self.of_dl = deadline_sched_class in classes
