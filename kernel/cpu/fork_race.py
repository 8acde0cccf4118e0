"""What a CPU tells the kernel of a fork: when parent and child went on.

Both have it in ``CpuTask.fork_of``, the child's pid, until each runs its first block of user code
after the fork, or pays for it if its context is with the kernel: that is when it *goes on*. When,
and where, is told before its next request, so that it costs no round of its own
(``kernel.process.fork_race`` compares).
"""

from typing import TYPE_CHECKING, Final

from kernel import messages as m
from kernel.cpu.averages import say_averages
from kernel.uapi import syscalls as nr

if TYPE_CHECKING:
    from kernel.costs import Costs
    from kernel.cpu.cpu import Cpu
    from kernel.cpu.task import CpuTask
    from kernel.user import Op

_LEAVES: Final = (nr.NR_EXECVE, nr.NR_EXIT, nr.NR_EXIT_GROUP)


def goes_on(cpu: "Cpu", task: "CpuTask") -> None:
    """``task`` is about to run user code for the first time after the fork."""
    task.went_on = task.fork_of
    task.went_on_ns = cpu.now_ns
    task.went_on_cpu = cpu.id
    task.fork_of = 0


def copies_ns(costs: "Costs", op: "Op") -> int:
    """Return the user time that a child owes for copies of pages, whose first call is ``op``."""
    return costs.cow_child if op[0] in _LEAVES else costs.cow_child + costs.cow_stay


def say(cpu: "Cpu", task: "CpuTask") -> None:
    """``task``, which runs, is about to ask the kernel: say before what there is to say."""
    if task.went_on:
        seq = cpu.next_seq()
        cpu.out.append(
            m.req_went_on(
                cpu.now_ns, cpu.id, seq, task.pid, task.went_on, task.went_on_ns, task.went_on_cpu
            )
        )
        task.went_on = 0
    say_averages(cpu, task)
