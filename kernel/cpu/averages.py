"""What a CPU tells the kernel of its averages (``kernel.sched.pelt``).

Source: kernel/sched/fair.c reads them of any CPU at any time; here they are sent (decision 6).
"""

from typing import TYPE_CHECKING

from kernel import messages as m
from kernel.sched.pelt import report

if TYPE_CHECKING:
    from kernel.cpu.cpu import Cpu
    from kernel.cpu.task import CpuTask


def say_averages(cpu: "Cpu", task: "CpuTask") -> None:
    """``task``, which runs, is about to ask the kernel: say before what has changed of them."""
    rq = cpu.rq
    pelt = rq.pelt
    if pelt is None:
        return
    rq.clock_ns = cpu.now_ns
    averages = report(rq, pelt, task)
    if averages is not None:
        cpu.out.append(m.req_averages(cpu.now_ns, cpu.id, cpu.next_seq(), task.pid, averages))
