"""What a class that shares the CPU by weights keeps about a task.

Source: kernel/sched/core.c:set_load_weight(), kernel/sched/fair.c:calc_delta_fair().
"""

from mypy_extensions import mypyc_attr

from kernel.sched.sched_class import Entity
from kernel.sched.weights import NICE_0_LOAD, vruntime_factor, vruntime_factor_of, weight_of


@mypyc_attr(allow_interpreted_subclasses=True)
class WeightedEntity(Entity):
    """An entity with the load weight of its task's nice value and policy.

    The weight does not travel: it is set anew wherever the task gets its entity
    (``SchedClass.set_load_weight``).
    """

    __slots__ = ("vmult", "vshift", "weight")

    def __init__(self) -> None:
        self.weight = NICE_0_LOAD
        self.vmult = 1 << 31  # with vshift: see vruntime_factor()
        self.vshift = 31

    def set_load_weight(self, nice: int, policy: int) -> None:
        """Take the weight that goes with a nice value and a policy."""
        self.weight = weight_of(nice, policy)
        self.vmult, self.vshift = vruntime_factor(nice, policy)

    def set_weight(self, weight: int) -> None:
        """Take a weight, a task's or a group's. Source: kernel/sched/fair.c:update_load_set()."""
        self.weight = weight
        self.vmult, self.vshift = vruntime_factor_of(weight)

    def calc_delta_fair(self, delta_ns: int) -> int:
        """Return ``delta_ns`` of real time as virtual time: delta * 1024 / weight."""
        if self.weight == NICE_0_LOAD:
            return delta_ns
        return delta_ns * self.vmult >> self.vshift
