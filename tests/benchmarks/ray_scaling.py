"""How Ray scales: requests and lifecycles per second for CPUs x packings, beside floors.

Every row is a run without a trace, on the engine's loop alone (start and end are measured apart):
a *storm* (fork, exec, exit, wait), or processes, one for each CPU, that loop so many turns between
two system calls (``compute``). The rounds take turns with the local engine; the medians count, and
how much they differ is printed. A run must not be short: actors are new processes, and their first
steps are slow; the local engine runs in a process that has run before.

A packing is a number of CPU actors, or a percentage: so much of the CPUs is beside the kernel, in
its process, and the rest in one actor. With --pin the processes stay on cores of their own as far
as there are any: where other programs have most of the cores, actors that could run side by side
are else put on one.

x local   requests per second against the local engine's under the same scheme
x barrier against the local engine's under ``barrier``, which gives the same bytes at any packing
beyond    the loop's time less that of kernel and busiest group (steps and codec; where they overlap
          the longer of the two), in empty rounds of the link at that packing: what the link costs
kernel    its share of the loop's time in which it had something to do
cores     process time of driver, kernel actor and CPU actors in a second of the loop
CPU       all process time against the local engine's for the same run: what spins shows here
MiB       proportional memory of all actors at the end of the loop, and of the driver

Floors, measured in the same run:

empty    rounds of a link whose actors do nothing, with frames of --frame bytes
msgpack  to pack and to unpack the messages of a request, as they travel, in one process
codec    what the codec takes of a request, all sides together, in one process
local    the local engine

Times are a host's; on one that does something else besides, ratios and process times count.

Usage: python -m tests.benchmarks.ray_scaling [--cpus 16,64] [--packs 1,2,25%] [--links shm,graph]
       [--schemes barrier,redblack,lax] [--loads storm,1000] [--lifecycles N] [--rounds N] [--start]
       [--pin] [--json FILE]
"""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path
from statistics import median
from time import perf_counter, process_time_ns
from typing import Any, Final

import workloads
from cluster.build import guest_spec
from cluster.engine import run_machine
from cluster.engine_api import RunRequest, RunResult
from cluster.ray_engine import RayRun
from cluster.ray_session import RaySession
from tests.benchmarks.ray_floors import LINKS, checked, codec_floors, empty_round_us

HERE: Final = Path(__file__).parent
STORM: Final = Path(workloads.__file__).parent / "programs" / "fork_exec_storm.py"
SCHEMES: Final = ("barrier", "redblack", "slack", "lax")
QUANTUM_NS: Final = 1_000_000
_LEAST_EACH: Final = 8  # lifecycles of a parent: its own start is not to count for much
_TURNS: Final = 2_000_000  # in all, where guests compute, and
_CALLS: Final = 20_000  # not more calls than so many


@dataclass
class Row:
    """Several runs of one kind."""

    load: str
    scheme: str
    cpus: int
    pack: str
    link: str
    lifecycles_per_s: float
    requests_per_s: float
    of_local: float
    of_barrier: float
    spread: float  # largest of the rounds' ratios over the smallest
    superstep_us: float
    beyond: float  # empty rounds
    kernel_share: float
    driver_cores: float
    kernel_cores: float
    groups_cores: float
    cpu_of_local: float
    actors_mib: float
    driver_mib: float


def request(
    cpus: int,
    lifecycles: int,
    pack: str = "1",
    link: str = "",
    scheme: str = "barrier",
    load: str = "storm",
) -> RunRequest:
    """Return a run, on the local engine if no link is named.

    Args:
        cpus: simulated ones.
        lifecycles: about so many in a storm; at least ``_LEAST_EACH`` for each CPU.
        pack: how CPUs are packed.
        link: of Ray.
        scheme: of synchronisation.
        load: ``storm``, or how many turns guests make between two calls.
    """
    if load == "storm":
        children = max(_LEAST_EACH, lifecycles // cpus)
        program, arguments = STORM, [f"parents={cpus}", f"children={children}"]
    else:
        turns = int(load)
        calls = max(4, min(_CALLS, _TURNS // turns) // cpus)
        program, arguments = HERE / "cruncher.py", [str(cpus), str(calls), str(turns)]
    beside = cpus * int(pack[:-1]) // 100 if pack.endswith("%") else 0
    return RunRequest(
        guest_spec(program, arguments, cpus=cpus, trace=False),
        engine="ray" if link else "local",
        scheme=scheme,
        quantum_ns=QUANTUM_NS,
        slack_ns=QUANTUM_NS if scheme == "slack" else None,
        cpus_per_actor=cpus - beside if beside else ceil(cpus / int(pack)),
        beside=beside,
        link=link or "auto",
    )


def fits(pack: str, cpus: int, scheme: str) -> bool:
    """Return whether CPUs can be packed so."""
    if pack.endswith("%"):
        return scheme in ("barrier", "redblack") and 0 < cpus * int(pack[:-1]) // 100 < cpus
    return int(pack) <= cpus


def rates(result: RunResult) -> tuple[float, float]:
    """Return lifecycles and requests per second of the loop."""
    seconds = result.wall["loop_ns"] / 1e9
    requests = result.summary["other"]["kernel_requests"]
    return lifecycles_of(result) / seconds, requests / seconds


def lifecycles_of(result: RunResult) -> int:
    """Return how many lifecycles a run has completed."""
    count: int = result.summary["lifecycles"]["completed"]
    return count


def _process(_actor: Any) -> tuple[int, int]:
    return process_time_ns(), memory_kib()


def _bind(_actor: Any, core: int) -> None:
    """Let this process, all its threads, run on one core."""
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def memory_kib() -> int:
    """Return the proportional share of memory of this process; 0 where the host has no such."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


class MeasuredRun(RayRun):
    """A run that notes process times of its loop, memory, and who was busy how long."""

    pin = False

    def _processes(self) -> list[tuple[int, int]]:
        assert self.actors is not None
        actors = [*self.actors.apart(), self.actors.kernel]
        calls = [actor.__ray_call__.remote(_process) for actor in actors]
        return [*self.watch.get(calls), _process(None)]

    def _bind_all(self) -> None:
        assert self.actors is not None
        kernel, *others = sorted(os.sched_getaffinity(0))
        # where the kernel works while CPUs run, it has a core to itself if it can
        cores = others if (self.halves or self.free) and others else [*others, kernel]
        calls = [self.actors.kernel.__ray_call__.remote(_bind, kernel)]
        for number, actor in enumerate(self.actors.apart()):
            calls.append(actor.__ray_call__.remote(_bind, cores[number % len(cores)]))
        self.watch.get(calls)

    def _loop(self) -> tuple[str, str]:
        if self.pin:
            self._bind_all()
        before = self._processes()
        ended = super()._loop()
        after = self._processes()
        self.took_ns = [then[0] - now[0] for now, then in zip(before, after)]
        self.kib = [kib for _, kib in after]
        return ended

    def _wall(self, groups: list[dict[str, int]], kernel: dict[str, int]) -> dict[str, int]:
        wall = super()._wall(groups, kernel)
        steps = [sum(group.values()) for group in groups]
        served = sum(kernel.values())
        if self.halves or self.free:
            beside, *apart = steps if self.request.beside else [0, *steps]
            busy = max(served + beside, *apart)
        else:
            busy = served + max(steps)
        wall["beyond_ns"] = wall["loop_ns"] - busy
        wall["served_ns"] = served
        return wall


def measured(wanted: RunRequest, load: str, pack: str, empty_us: float, pin: bool) -> Row:
    """Return one run on Ray; what it is of the local engine is not known yet."""
    run = MeasuredRun(wanted)
    run.pin = pin
    result = checked(run.run())
    supersteps = result.summary["run"]["supersteps"]
    loop_ns = result.wall["loop_ns"]
    *groups, kernel, driver = run.took_ns
    lifecycles_per_s, requests_per_s = rates(result)
    return Row(
        load=load,
        scheme=wanted.scheme,
        cpus=wanted.spec.cpus,
        pack=pack,
        link=wanted.link,
        lifecycles_per_s=lifecycles_per_s,
        requests_per_s=requests_per_s,
        of_local=0.0,
        of_barrier=0.0,
        spread=1.0,
        superstep_us=loop_ns / supersteps / 1e3,
        beyond=result.wall["beyond_ns"] / supersteps / 1e3 / empty_us,
        kernel_share=result.wall["served_ns"] / loop_ns,
        driver_cores=driver / loop_ns,
        kernel_cores=kernel / loop_ns,
        groups_cores=sum(groups) / loop_ns,
        cpu_of_local=(sum(groups) + kernel + driver) / 1e9,
        actors_mib=sum(run.kib[:-1]) / 1024,
        driver_mib=run.kib[-1] / 1024,
    )


def middle(rows: Sequence[Row]) -> Row:
    """Return the medians of rows that are of one kind."""
    values = {
        name: median(getattr(row, name) for row in rows)
        for name, value in asdict(rows[0]).items()
        if isinstance(value, float)
    }
    ratios = [row.of_local for row in rows]
    return replace(rows[0], **{**values, "spread": max(ratios) / min(ratios)})


def of_load(
    options: argparse.Namespace, load: str, cpus: int, empty: dict[tuple[str, int], float]
) -> tuple[dict[str, Any], list[Row]]:
    """Measure one load at one number of CPUs; return the local engine's rates, and rows."""
    rows: dict[tuple[str, str, str], list[Row]] = {}
    found: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(options.rounds):
        base = None
        for scheme in dict.fromkeys(("barrier", *options.schemes)):
            wanted = request(cpus, options.lifecycles, scheme=scheme, load=load)
            result = checked(run_machine(wanted))
            here = (*rates(result), result.wall["loop_cpu_ns"] / 1e9)
            base = base or here
            found.setdefault(scheme, []).append(here)
            if scheme not in options.schemes:
                continue
            for pack in options.packs:
                if not fits(pack, cpus, scheme):
                    continue
                for link in options.links:
                    if link != "shm" and (scheme != "barrier" or pack.endswith("%")):
                        continue
                    wanted = request(cpus, options.lifecycles, pack, link, scheme, load)
                    row = measured(wanted, load, pack, empty[link, actors_of(pack)], options.pin)
                    row.of_local = row.requests_per_s / here[1]
                    row.of_barrier = row.requests_per_s / base[1]
                    row.cpu_of_local /= here[2]
                    rows.setdefault((scheme, pack, link), []).append(row)
    names = ("lifecycles_per_s", "requests_per_s", "loop_cpu_s")
    rates_of = {
        scheme: dict(zip(names, (median(values) for values in zip(*each))))
        for scheme, each in found.items()
    }
    return rates_of, [middle(each) for each in rows.values()]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Take all measurements; what stands in rows are medians of the rounds."""
    empty = {
        (link, actors): median(
            empty_round_us(link, actors, bytes(options.frame)) for _ in range(options.rounds)
        )
        for actors in sorted(set(map(actors_of, options.packs)))
        for link in options.links
    }
    found: dict[str, Any] = {
        "frame_bytes": options.frame,
        "rounds": options.rounds,
        "empty_us": {f"{link}, {actors} actors": us for (link, actors), us in empty.items()},
        "local": {},
        "codec": {},
        "rows": [],
    }
    for load in options.loads:
        for cpus in options.cpus:
            local, rows = of_load(options, load, cpus, empty)
            found["local"][f"{load}, {cpus} CPUs"] = local
            found["rows"] += map(asdict, rows)
            for pack in options.packs:
                if fits(pack, cpus, "") and not pack.endswith("%"):
                    wanted = request(cpus, options.lifecycles, pack, "calls", load=load)
                    found["codec"][f"{load}, {cpus} CPUs, {pack} actors"] = codec_floors(wanted)
    return found


def actors_of(pack: str) -> int:
    """Return how many CPU actors there are besides the kernel's."""
    return 1 if pack.endswith("%") else int(pack)


def start_and_end(cpus: int, pack: str) -> dict[str, float]:
    """Return seconds that a run of next to nothing takes, its own Ray's start and end with it."""
    started = perf_counter()
    run = MeasuredRun(replace(request(cpus, 0, pack, "shm"), address="local"))
    result = checked(run.run())
    return {
        "start_and_end_s": perf_counter() - started - result.wall["loop_ns"] / 1e9,
        "actors_mib": sum(run.kib[:-1]) / 1024,
        "driver_mib": run.kib[-1] / 1024,
    }


def show(found: dict[str, Any]) -> None:
    """Print the table."""
    for name, us in found["empty_us"].items():
        print(f"empty round, {name}: {us:,.0f} us")
    for name, schemes in found["local"].items():
        for scheme, local in schemes.items():
            print(
                f"local, {name}, {scheme}: {local['lifecycles_per_s']:,.0f} lifecycles/s, "
                f"{local['requests_per_s']:,.0f} requests/s"
            )
    for name, floors in found["codec"].items():
        print(
            f"{name}: a request's messages have {floors['bytes']:.0f} bytes; msgpack packs them "
            f"in {floors['msgpack_pack_us']:.1f} us and unpacks them in "
            f"{floors['msgpack_unpack_us']:.1f}, the codec takes {floors['codec_us']:.1f} in all"
        )
    for name, told in found.get("start", {}).items():
        print(
            f"{name}: start and end {told['start_and_end_s']:.1f} s, "
            f"actors {told['actors_mib']:.0f} MiB, driver {told['driver_mib']:.0f} MiB"
        )
    print(
        "\nload    scheme   CPUs packs  link  lifecycles/s requests/s x local x barrier (spread) | "
        "superstep us beyond kernel | cores: driver kernel CPUs |  CPU | MiB actors driver"
    )
    for row in found["rows"]:
        print(
            "{load:7} {scheme:8} {cpus:4} {pack:6} {link:5} {lifecycles_per_s:12,.0f} "
            "{requests_per_s:10,.0f} {of_local:7.2f} {of_barrier:9.2f} {spread:8.2f} | "
            "{superstep_us:12,.0f} {beyond:6.1f} {kernel_share:6.0%} | {driver_cores:13.2f} "
            "{kernel_cores:6.2f} {groups_cores:4.2f} | {cpu_of_local:4.2f} | {actors_mib:10,.0f} "
            "{driver_mib:6,.0f}".format(**row)
        )


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _packs(text: str) -> list[str]:
    names = text.split(",")
    if not all(name.removesuffix("%").isdecimal() and name[0] != "0" for name in names):
        raise argparse.ArgumentTypeError("packings are numbers of actors, and percentages")
    return names


def _of(known: Sequence[str], text: str) -> list[str]:
    names = text.split(",")
    if not set(names) <= set(known):
        raise argparse.ArgumentTypeError(f"there is {', '.join(known)}")
    return names


def _links(text: str) -> list[str]:
    return _of(tuple(LINKS), text)


def _schemes(text: str) -> list[str]:
    return _of(SCHEMES, text)


def _loads(text: str) -> list[str]:
    names = text.split(",")
    if not all(name == "storm" or (name.isdecimal() and int(name)) for name in names):
        raise argparse.ArgumentTypeError("loads are storm and numbers of turns")
    return names


def main() -> None:
    """Measure, print, and write the file that --json names."""
    parser = argparse.ArgumentParser(description="How Ray scales.")
    parser.add_argument("--cpus", type=_numbers, default=[16, 64])
    parser.add_argument("--packs", type=_packs, default=["1", "2", "25%"])
    parser.add_argument("--links", type=_links, default=["shm"])
    parser.add_argument("--schemes", type=_schemes, default=["barrier", "redblack", "lax"])
    parser.add_argument("--loads", type=_loads, default=["storm", "1000"])
    parser.add_argument("--lifecycles", type=int, default=12_000, help="of each storm")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frame", type=int, default=2_000, help="bytes of an empty round's frames")
    parser.add_argument("--start", action="store_true", help="start and end of a Ray, too")
    parser.add_argument("--pin", action="store_true", help="processes stay on cores of their own")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    start = {}
    if options.start:
        for cpus in options.cpus:
            for pack in options.packs:
                if fits(pack, cpus, "barrier"):
                    start[f"{cpus} CPUs, {pack}"] = start_and_end(cpus, pack)
    load = os.getloadavg()[0]
    with RaySession("local", max(map(actors_of, options.packs)) + 1):
        found = measure(options)
    found["start"] = start
    show(found)
    print(f"\nload of the host {load:.1f} before, {os.getloadavg()[0]:.1f} after")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
