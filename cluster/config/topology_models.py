"""Processors by name: how many caches, clusters and cores they have.

Sources: the makers' data sheets and product pages (cores, threads, caches); for capacities the
device trees of Linux; for distances between sockets what their firmware says in usual servers.
"""

from dataclasses import dataclass
from typing import Final

from cluster.config.topology import Numa, Topology


@dataclass(frozen=True, slots=True)
class Processor:
    """One processor: a socket of it, what it is, and where its figures come from.

    ``remote``: distance between two nodes. ``nodes``: of each socket. ``distances``: of all nodes
    of a machine with so many; with another number of sockets all are ``remote`` apart.
    """

    topology: Topology
    title: str
    source: str
    remote: int = 20
    nodes: int = 1
    distances: tuple[tuple[int, ...], ...] = ()


PROCESSORS: Final[dict[str, Processor]] = {
    "epyc-7763": Processor(
        Topology(llcs=8, cores=8, smt=2),
        "AMD EPYC 7763 (Zen 3): 8 dies of 8 cores, each with 32 MiB of L3",
        "AMD data sheet of the EPYC 7003 series",
        remote=32,
    ),
    "opteron-6272": Processor(
        Topology(llcs=2, cores=4, smt=2, numbering="adjacent"),
        "AMD Opteron 6272 (Bulldozer): 2 dies, each a node, of 4 modules with 2 cores",
        'AMD product page; distances of four sockets, as of the machine of "The Linux Scheduler: a '
        'Decade of Wasted Cores"',
        remote=16,
        nodes=2,
        distances=(
            (10, 16, 16, 22, 16, 22, 16, 22),
            (16, 10, 22, 16, 22, 16, 22, 16),
            (16, 22, 10, 16, 16, 22, 16, 22),
            (22, 16, 16, 10, 22, 16, 22, 16),
            (16, 22, 16, 22, 10, 16, 16, 22),
            (22, 16, 22, 16, 16, 10, 22, 16),
            (16, 22, 16, 22, 16, 22, 10, 16),
            (22, 16, 22, 16, 22, 16, 16, 10),
        ),
    ),
    "xeon-8380": Processor(
        Topology(cores=40, smt=2),
        "Intel Xeon Platinum 8380 (Ice Lake): 40 cores, 60 MiB of L3",
        "Intel ARK",
    ),
    "ryzen-7950x": Processor(
        Topology(llcs=2, cores=8, smt=2),
        "AMD Ryzen 9 7950X (Zen 4): 2 dies of 8 cores, each with 32 MiB of L3",
        "AMD product page",
    ),
    "threadripper-3990x": Processor(
        Topology(llcs=16, cores=4, smt=2),
        "AMD Ryzen Threadripper 3990X (Zen 2): 16 complexes of 4 cores, each with 16 MiB of L3",
        "AMD product page",
    ),
    "core-i7-1165g7": Processor(
        Topology(cores=4, smt=2),
        "Intel Core i7-1165G7 (Tiger Lake): 4 cores, 12 MiB of L3",
        "Intel ARK",
    ),
    "apple-m1": Processor(
        Topology(llcs=2, cores=4, capacity=[459, 1024]),
        "Apple M1: 4 small and 4 large cores, a last cache (L2) for each kind",
        "Linux, arch/arm64/boot/dts/apple/t8103.dtsi: 714 and 1024 per MHz, 2064 and 3204 MHz",
    ),
    "raspberry-pi-4": Processor(
        Topology(cores=4),
        "Raspberry Pi 4 (BCM2711): 4 Cortex-A72, 1 MiB of L2",
        "Raspberry Pi documentation",
    ),
    "graviton3": Processor(
        Topology(cores=64),
        "AWS Graviton3: 64 Neoverse V1, 32 MiB of shared cache",
        "AWS documentation",
    ),
    "power9": Processor(
        Topology(llcs=11, cores=2, smt=4, numbering="adjacent"),
        "IBM POWER9 of an AC922: 22 cores with 4 threads, 10 MiB of L3 for each pair",
        "IBM POWER9 user's manual",
        remote=40,
    ),
}


def topology_named(name: str, sockets: int) -> Topology:
    """Return the topology of ``sockets`` processors ``name``."""
    processor = PROCESSORS[name]
    nodes = range(sockets * processor.nodes)
    distances = [[10 if one == other else processor.remote for other in nodes] for one in nodes]
    if len(processor.distances) == len(nodes):
        distances = [list(row) for row in processor.distances]
    numa = Numa(nodes=len(nodes), distances=distances)
    capacity = processor.topology.capacity * sockets
    changes = {"sockets": sockets, "numa": numa, "capacity": capacity}
    return processor.topology.model_copy(update=changes)
