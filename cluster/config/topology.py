"""``machine.topology``: how the CPUs hang together, by numbers, by a name or from a file.

The result is plain data for ``kernel.smp.topology.build``: by CPU the numbers of package, node,
last-level cache, cluster and core, and its capacity; and the distances of the nodes.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from cluster.config.errors import KeyPath, got
from cluster.config.model import Model, NameAlone
from cluster.config.quantities import OneOf
from kernel.smp.topology import LOCAL_DISTANCE

MAX_CPUS: Final = 4096
MAX_NODES: Final = 64
REMOTE_DISTANCE: Final = 20

Finding = tuple[KeyPath, str]  # below machine.topology: what is wrong


def _cores(value: Any) -> int | list[int]:
    many = value if isinstance(value, list) else [value]
    if many and all(type(each) is int and 1 <= each <= MAX_CPUS for each in many):
        return many if isinstance(value, list) else many[0]
    raise ValueError(f"must be from 1 to {MAX_CPUS}, or a list of such numbers")


def _shares(value: Any) -> int | list[int]:
    many = value if isinstance(value, list) else [value]
    if many and all(type(each) is int and 1 <= each <= 100 for each in many):
        return many if isinstance(value, list) else many[0]
    raise ValueError("must be from 1 to 100, or a list of such numbers")


_ONE_SHARE: Final = {"type": "integer", "minimum": 1, "maximum": 100}
# Marr et al., Hyper-Threading Technology Architecture and Microarchitecture, Intel Technology
# Journal 6(1), 2002: two threads do 1.16 to 1.28 times the work of one, on server loads
SMT_SHARE: Final = 60
_ONE_CORES: Final = {"type": "integer", "minimum": 1, "maximum": MAX_CPUS}


class Numa(Model):
    """The nodes of the machine; each has as many clusters as the others."""

    nodes: Annotated[int, Field(ge=1, le=MAX_NODES, description="How many there are.")]
    distances: Annotated[
        list[list[Annotated[int, Field(ge=LOCAL_DISTANCE, le=254)]]],
        Field(
            max_length=MAX_NODES,
            description="From each node to each, 10 to itself, as numactl --hardware shows them; "
            "by default 20 to all others.",
        ),
    ] = []


class Topology(NameAlone):
    """Sockets, caches, cores and threads; or the name of a processor; or a file of a machine's."""

    named: ClassVar[str] = "model"

    model: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=4096,
            description="A processor (smplab list topologies), or a file: what lscpu "
            "-e=CPU,NODE,SOCKET,CORE,CACHE, the same with -J, or lstopo --of xml wrote.",
        ),
    ] = None
    sockets: Annotated[int, Field(ge=1, le=64, description="Processors.")] = 1
    llcs: Annotated[int, Field(ge=1, le=256, description="Last-level caches of each socket.")] = 1
    clusters: Annotated[
        int, Field(ge=1, le=256, description="Clusters of cores under each last-level cache.")
    ] = 1
    cores: Annotated[
        int | list[int],
        PlainValidator(_cores),
        WithJsonSchema({"anyOf": [_ONE_CORES, {"type": "array", "items": _ONE_CORES}]}),
        Field(description="Cores of each cluster; a list has the number of every cluster."),
    ] = 1
    smt: Annotated[int, Field(ge=1, le=8, description="CPUs (threads) of each core.")] = 1
    numbering: Annotated[
        str,
        OneOf("spread", "adjacent"),
        Field(
            description="spread: the cores' second threads come after all first ones, as on x86; "
            "adjacent: the threads of a core have successive numbers."
        ),
    ] = "spread"
    numa: Annotated[Numa | None, Field(description="By default each socket is a node.")] = None
    capacity: Annotated[
        list[Annotated[int, Field(ge=1, le=1024)]],
        Field(max_length=MAX_CPUS, description="Of every cluster, 1024 for the largest."),
    ] = []
    smt_share: Annotated[
        int | list[int],
        PlainValidator(_shares),
        WithJsonSchema({"anyOf": [_ONE_SHARE, {"type": "array", "items": _ONE_SHARE}]}),
        Field(
            description="Percent of its speed that a CPU has while another of its core is busy, "
            "too (more together do as much as two); or a list: while 1, 2, … others are. 100: "
            "siblings do not slow each other down."
        ),
    ] = SMT_SHARE


@dataclass(frozen=True, slots=True)
class Cpus:
    """The places of CPUs, and the distances of their nodes: as ``MachineSpec`` has them.

    ``numbers``: of a file in whose numbers of CPUs there is a hole; here they have none.
    """

    places: tuple[tuple[int, ...], ...] = ()
    distances: tuple[tuple[int, ...], ...] = ()
    numbers: tuple[int, ...] = ()  # what the file calls them, if that is not 0, 1, 2, …


def smt_shares(
    share: int | list[int], places: Sequence[Sequence[int]]
) -> tuple[tuple[int, ...], list[Finding]]:
    """Return ``MachineSpec.smt_share`` for CPUs with places, and what is wrong with ``share``."""
    threads: dict[tuple[int, ...], int] = {}
    for place in places:
        core = (place[1], place[4])
        threads[core] = threads.get(core, 0) + 1
    most = max(threads.values(), default=1)
    if isinstance(share, list):
        if len(share) != most - 1:
            what = f"must have {most - 1} items, one for each other CPU of a core"
            return (), [(("smt_share",), f"{what} (got {len(share)})")]
        shares = (1000, *(10 * each for each in share))
    else:
        shares = (1000, *(20 * share // (others + 1) for others in range(1, most)))
    return (() if most == 1 or share == 100 else shares), []


def clusters_of(topology: Topology) -> int:
    """Return how many clusters the whole machine has."""
    return topology.sockets * topology.llcs * topology.clusters


def by_numbers(topology: Topology) -> tuple[Cpus, list[Finding]]:
    """Return the CPUs that the numbers mean, and what is wrong with them."""
    findings = list(_wrong_numbers(topology))
    if findings:
        return Cpus(), findings
    numa = topology.numa or Numa(nodes=topology.sockets)
    clusters = clusters_of(topology)
    cores = _cores_by_cluster(topology)
    first_threads: list[tuple[int, ...]] = []
    for cluster, number in enumerate(cores):
        cache = cluster // topology.clusters
        capacity = topology.capacity[cluster] if topology.capacity else 1024
        for _ in range(number):
            node = cluster * numa.nodes // clusters
            core = len(first_threads)
            first_threads.append((cache // topology.llcs, node, cache, cluster, core, capacity))
    if topology.numbering == "spread":
        places = [place for _ in range(topology.smt) for place in first_threads]
    else:
        places = [place for place in first_threads for _ in range(topology.smt)]
    distances = tuple(tuple(row) for row in numa.distances)
    return Cpus(tuple(places), distances), []


def _cores_by_cluster(topology: Topology) -> list[int]:
    cores = topology.cores
    return cores if isinstance(cores, list) else [cores] * clusters_of(topology)


def _wrong_numbers(topology: Topology) -> Iterator[Finding]:
    clusters = clusters_of(topology)
    for key, value in (("cores", topology.cores), ("capacity", topology.capacity)):
        if isinstance(value, list) and value and len(value) != clusters:
            yield (key,), f"must have {clusters} items, one for each cluster (got {len(value)})"
    # before a list of them is made
    cores = topology.cores
    many = sum(cores) if isinstance(cores, list) else cores * clusters
    if many * topology.smt > MAX_CPUS:
        yield (), f"must have at most {MAX_CPUS} CPUs (got {many * topology.smt})"
    if topology.capacity and max(topology.capacity) != 1024:
        yield ("capacity",), f"must be 1024 for the largest {got(max(topology.capacity))}"
    numa = topology.numa
    if numa is not None:
        if clusters % numa.nodes:
            what = f"must divide the number of clusters, which is {clusters}"
            yield ("numa", "nodes"), f"{what} {got(numa.nodes)}"
        for path, what in wrong_distances(numa.distances, numa.nodes):
            yield ("numa", "distances", *path), what


def wrong_distances(rows: Sequence[Sequence[int]], nodes: int) -> Iterator[Finding]:
    """Yield what is wrong with a matrix of distances between so many nodes; () is none."""
    if not rows:
        return
    if len(rows) != nodes:
        yield (), f"must have a row for each of {nodes} nodes (got {len(rows)})"
    wrong = len(rows) != nodes
    for place, row in enumerate(rows):
        if len(row) != len(rows):
            wrong = True
            yield (place,), f"must have {len(rows)} items (got {len(row)})"
    if wrong:
        return
    for one in range(nodes):
        for other in range(nodes):
            far = rows[one][other]
            if one == other and far != LOCAL_DISTANCE:
                yield (one, other), f"must be {LOCAL_DISTANCE}, a node's to itself {got(far)}"
            elif one != other and far <= LOCAL_DISTANCE:
                yield (one, other), f"must be more than {LOCAL_DISTANCE} {got(far)}"
            elif one > other and far != rows[other][one]:
                what = f"must be {rows[other][one]}, as in the other direction"
                yield (one, other), f"{what} {got(far)}"


@dataclass(slots=True)
class Row:
    """One CPU as a file has it: names of what it is in, whatever they are."""

    cpu: int
    node: int = 0
    socket: Hashable = 0
    cache: Hashable = None  # None: the whole socket's
    cluster: Hashable = None  # None: none beside the cache
    core: Hashable = 0
    capacity: int = 1024
    line: int = 0  # where it stands in the file
    column: int = 0


def by_rows(rows: Iterable[Row], distances: dict[tuple[int, int], int] | None = None) -> Cpus:
    """Return the CPUs of ``rows``, in the order of their numbers.

    Args:
        distances: from node to node by their names, if the file says them.
    """
    rows = sorted(rows, key=lambda row: row.cpu)
    nodes = {node: place for place, node in enumerate(sorted({row.node for row in rows}))}
    sockets, caches, clusters, cores = _Numbers(), _Numbers(), _Numbers(), _Numbers()
    places = []
    for row in rows:
        cache = (row.socket, row.cache)
        places.append(
            (
                sockets.of(row.socket),
                nodes[row.node],
                caches.of(cache),
                clusters.of((cache, row.cluster)),
                cores.of((row.socket, row.core)),
                row.capacity,
            )
        )
    matrix: tuple[tuple[int, ...], ...] = ()
    if distances:
        matrix = tuple(
            tuple(
                LOCAL_DISTANCE if one == other else distances.get((one, other), REMOTE_DISTANCE)
                for other in nodes
            )
            for one in nodes
        )
    numbers = tuple(row.cpu for row in rows)
    return Cpus(tuple(places), matrix, () if numbers == (*range(len(rows)),) else numbers)


class _Numbers:
    """Names to numbers, in the order in which they come."""

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}

    def of(self, name: Hashable) -> int:
        return self._known.setdefault(name, len(self._known))
