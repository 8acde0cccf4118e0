"""Machines with levels, and a kernel that has only what placement and balancing look at."""

import kernel.kernel
from kernel.machine import MachineSpec
from kernel.messages import NEVER
from kernel.smp.averages import Averages
from kernel.smp.classes import SchedTable
from kernel.smp.domains import domains_of
from kernel.smp.load import LoadTable
from kernel.smp.mutations import SchedMutations
from kernel.smp.task_groups import GroupTable
from kernel.smp.topology import Topology, build
from kernel.task import TaskStruct


def places(sockets=1, llcs=1, cores=1, smt=1, nodes=None, capacity=None):
    """Places of CPUs, the threads of a core next to each other; each socket is a node."""
    found = []
    for core in range(sockets * llcs * cores):
        cache = core // cores
        socket = cache // llcs
        node = socket if nodes is None else cache * nodes // (sockets * llcs)
        power = 1024 if capacity is None else capacity[cache]
        found += [(socket, node, cache, cache, core, power)] * smt
    return found


def full_averages(topology: Topology, nr_running, now_ns=0) -> Averages:
    """Averages of CPUs that have had as many tasks of nice 0 for long."""
    averages = Averages(topology)
    for cpu, number in enumerate(nr_running):
        avg = averages.cpus[cpu]
        avg.load = avg.runnable = 1024 * number
        avg.util = 1024 if number else 0
        avg.at = now_ns >> 20
        averages.warm |= (number > 0) << cpu
    return averages


class Kernel:
    """CPUs with so many runnable tasks of nice 0; ``cpu`` is the one the kernel works for."""

    def __init__(self, topology: Topology, nr_running, cpu=0, linux="6.12"):
        self.spec = MachineSpec(cpus=topology.cpus)
        self.topology = topology
        self.domains = domains_of(topology, linux)
        self.bugs = SchedMutations(())
        self.load = LoadTable(topology.cpus)
        for each, number in enumerate(nr_running):
            for _ in range(number):
                self.load.count(each, 1)
        self.sched = SchedTable(self.spec)
        self.uneven = {}
        self.uneven_cpus = {}
        self.groups = GroupTable(self.spec)
        self.cpu = cpu
        self.current = TaskStruct(1, 1, "waker")
        self.now_ns = 5_000_000_000
        self.averages = full_averages(topology, nr_running, self.now_ns)
        self.wake_sync = False
        self.tick_ns = 4_000_000
        self.next_balance = 0
        self.balance_ns = NEVER
        self.outbox = {}

    send = kernel.kernel.Kernel.send


def machine(nr_running, cpu=0, distances=(), linux="6.12", **shape):
    """A kernel on a machine of this shape."""
    return Kernel(build(places(**shape), distances, linux), nr_running, cpu, linux)
