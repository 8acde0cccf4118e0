"""How Ray scales: requests and lifecycles per second for CPUs x packings x links, beside floors.

Every row is a storm (fork, exec, exit, wait) under ``barrier``, without a trace, on the engine's
loop alone: start and end are not counted. ``x local`` compares with the local engine, which runs
before and after; ``beyond`` is the loop's time less the kernel's and that of the busiest group (its
steps and its codec), in empty rounds of the same link and packing: what the link costs. ``CPU`` is
the process time of driver, kernel actor and CPU actors, each per superstep: a process that spins
takes more than it works.

Floors, measured in the same run:

empty    rounds of a link whose actors do nothing, with frames of --frame bytes
msgpack  to pack and to unpack the messages of a lifecycle, as they travel, in one process
codec    what the codec takes of a lifecycle, all sides together, in one process
local    the local engine

The times are a host's: on one that does something else besides, take the best of several --rounds.

Usage: python -m tests.benchmarks.ray_scaling [--cpus 16,64] [--packs 1,2] [--links shm,graph]
       [--lifecycles N] [--rounds N] [--json FILE]
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from time import perf_counter, process_time_ns
from typing import Any, Final

import msgpack

import workloads
from cluster import ray_actors
from cluster.build import guest_spec
from cluster.engine import run_machine
from cluster.engine_api import DONE, RunRequest, RunResult
from cluster.interrupt import HeldInterrupt
from cluster.pieces import is_whole
from cluster.ray_engine import RayRun
from cluster.ray_session import RaySession
from cluster.ray_watch import PULSE_GROUPS, Actors, Watch
from cluster.transport.frames import Link
from cluster.transport.ray_calls import CallsLink
from cluster.transport.ray_graph import GraphLink
from cluster.transport.ray_shm import ShmLink
from tests.cluster.direct_run import DirectLink, DirectRun

STORM: Final = Path(workloads.__file__).parent / "programs" / "fork_exec_storm.py"
QUANTUM_NS: Final = 1_000_000
LINKS: Final = {"shm": ShmLink, "graph": GraphLink, "calls": CallsLink}
EMPTY_S: Final = 1.0  # of empty rounds, for each floor


@dataclass
class Row:
    """One run."""

    cpus: int
    actors: int  # of CPUs
    link: str
    lifecycles_per_s: float
    requests_per_s: float
    of_local: float
    superstep_us: float
    beyond_us: float  # of a superstep: neither kernel nor the busiest group
    empty_us: float
    driver_us: float  # process time per superstep
    kernel_us: float
    groups_us: float


def request(cpus: int, lifecycles: int, actors: int = 1, link: str = "") -> RunRequest:
    """Return a storm of about so many lifecycles; on the local engine if no link is named."""
    children = max(1, lifecycles // cpus)
    spec = guest_spec(STORM, [f"parents={cpus}", f"children={children}"], cpus=cpus, trace=False)
    return RunRequest(
        spec,
        engine="ray" if link else "local",
        scheme="barrier",
        quantum_ns=QUANTUM_NS,
        cpus_per_actor=ceil(cpus / actors),
        link=link or "auto",
    )


def checked(result: RunResult) -> RunResult:
    """Return a result that is whole; a run that did not end well is an error."""
    if result.exit_kind != DONE or {status for _, _, status in result.statuses} != {0}:
        raise SystemExit(f"a run broke: {result.exit_kind} {result.message}")
    return result


def rates(result: RunResult) -> tuple[float, float]:
    """Return lifecycles and requests per second of the loop."""
    seconds = result.wall["loop_ns"] / 1e9
    requests = result.summary["other"]["kernel_requests"]
    return lifecycles_of(result) / seconds, requests / seconds


def lifecycles_of(result: RunResult) -> int:
    """Return how many lifecycles a run has completed."""
    count: int = result.summary["lifecycles"]["completed"]
    return count


def _process_ns(_actor: Any) -> int:
    return process_time_ns()


class MeasuredRun(RayRun):
    """A run that notes the process time of its loop, by process, and the busiest group."""

    def _processes(self) -> list[int]:
        assert self.actors is not None
        calls = [actor.__ray_call__.remote(_process_ns) for actor in self.actors.all()]
        return [*self.watch.get(calls), process_time_ns()]

    def _loop(self) -> tuple[str, str]:
        before = self._processes()
        ended = super()._loop()
        self.took_ns = [then - now for now, then in zip(before, self._processes())]
        return ended

    def _wall(self, groups: list[dict[str, int]], kernel: dict[str, int]) -> dict[str, int]:
        wall = super()._wall(groups, kernel)
        busiest = max(sum(group.values()) for group in groups)
        wall["beyond_ns"] = wall["loop_ns"] - sum(kernel.values()) - busiest
        return wall


class Empty:
    """An actor that does nothing: the kernel's or that of CPUs."""

    def __init__(self, frame: bytes) -> None:
        self.link: Any = None
        self._frame = frame
        self._turns = 0

    def ready(self) -> str:
        """See ``_Actor.ready``."""
        return "empty"

    def turns(self) -> int:
        """Return how many turns have been made."""
        return self._turns

    def last(self) -> tuple[int, bytes]:
        """See ``KernelActor.last``."""
        return self._turns, self._frame

    def at_rest(self) -> bool:
        """See ``KernelActor.at_rest``."""
        return False

    def step(self, _frame: bytes) -> bytes:
        """See ``CpuActor.step``."""
        return self._frame

    def superstep(self, *_frames: bytes) -> bytes:
        """See ``KernelActor.superstep``."""
        self._turns += 1
        return self._frame


def empty_round_us(link: str, actors: int, frame: bytes) -> float:
    """Return what a superstep takes of a link on which nobody has anything to do."""
    import ray

    decorate: Any = ray.remote
    remote = decorate(num_cpus=0, max_restarts=0, concurrency_groups=PULSE_GROUPS)(Empty)
    kernel, *cpus = (remote.remote(frame) for _ in range(actors + 1))
    found = Actors(kernel, cpus, ["empty"] * (actors + 1))
    watch = Watch(HeldInterrupt(), None)
    watch.get([actor.ready.remote() for actor in found.all()])
    way: Link = LINKS[link](found, watch)
    way.round(frame)
    before = watch.get([kernel.turns.remote()])[0]
    started = perf_counter()
    while perf_counter() - started < EMPTY_S:
        way.round(frame)
    took = perf_counter() - started
    turns = watch.get([kernel.turns.remote()])[0] - before
    way.close()
    for actor in found.all():
        ray.kill(actor)
    return took * 1e6 / turns


class FramesLink(DirectLink):
    """Keeps the frames."""

    def __init__(self, actors: Actors, layers: int) -> None:
        super().__init__(actors, layers)
        self.kept: list[bytes] = []

    def round(self, frame: bytes) -> bytes:
        """See ``Link.round``."""
        reports = [cpu.step(frame) for cpu in self.actors.cpus]
        self.kept += [frame, *reports]
        answer: bytes = self.actors.kernel.superstep(*reports)
        return answer


class CodecRun(DirectRun):
    """A run in one process whose actors' times are process times, and whose frames are kept."""

    def _start(self) -> None:
        super()._start()
        assert self.transport is not None and self.actors is not None
        self.frames = FramesLink(self.actors, 1)
        self.transport.link = self.frames


def _opened(frames: list[bytes]) -> Iterator[Any]:
    """Yield what is in frames: whole reports, and the segments of superstep frames."""
    for frame in frames:
        kind, *rest = _unpacked(frame)
        if kind == 2:
            yield from (_unpacked(segment) for segment in rest[1] if segment)
        else:
            yield rest


def _unpacked(data: bytes) -> Any:
    return msgpack.unpackb(data, use_list=False, strict_map_key=False)


def codec_floors(cpus: int, lifecycles: int, actors: int) -> dict[str, float]:
    """Return us of a lifecycle that msgpack and the codec take, in one process."""
    clock, ray_actors.perf_counter_ns = ray_actors.perf_counter_ns, process_time_ns
    try:
        run = CodecRun(request(cpus, lifecycles, actors))
        result = checked(run.run())
    finally:
        ray_actors.perf_counter_ns = clock
    count = lifecycles_of(result)
    messages = list(_opened([frame for frame in run.frames.kept if is_whole(frame)]))
    started = process_time_ns()
    packed = [msgpack.packb(each) for each in messages]
    between = process_time_ns()
    for each in packed:
        _unpacked(each)
    ended = process_time_ns()
    return {
        "msgpack_pack_us": (between - started) / 1e3 / count,
        "msgpack_unpack_us": (ended - between) / 1e3 / count,
        "codec_us": result.wall["encode_ns"] / 1e3 / count,
        "bytes": sum(map(len, packed)) / count,
    }


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Take all measurements; rows are the best of the rounds."""
    empty = {
        (link, actors): min(
            empty_round_us(link, actors, bytes(options.frame)) for _ in range(options.rounds)
        )
        for actors in options.packs
        for link in options.links
    }
    found: dict[str, Any] = {"frame_bytes": options.frame, "local": {}, "codec": {}, "rows": []}
    for cpus in options.cpus:
        packs = [actors for actors in options.packs if actors <= cpus]
        locals_: list[tuple[float, float]] = []
        rows: dict[tuple[int, str], Row] = {}
        for _ in range(options.rounds):
            locals_.append(rates(checked(run_machine(request(cpus, options.lifecycles)))))
            for actors in packs:
                for link in options.links:
                    row = measured(cpus, actors, link, options.lifecycles, empty[link, actors])
                    best = rows.get((actors, link), row)
                    rows[actors, link] = max(best, row, key=lambda each: each.lifecycles_per_s)
            locals_.append(rates(checked(run_machine(request(cpus, options.lifecycles)))))
        found["local"][cpus] = dict(zip(("lifecycles_per_s", "requests_per_s"), max(locals_)))
        for row in rows.values():
            row.of_local = row.lifecycles_per_s / max(locals_)[0]
            found["rows"].append(asdict(row))
        for actors in packs:
            found["codec"][f"{cpus} CPUs, {actors} actors"] = codec_floors(
                cpus, options.lifecycles, actors
            )
    return found


def measured(cpus: int, actors: int, link: str, lifecycles: int, empty_us: float) -> Row:
    """Return one run on Ray."""
    run = MeasuredRun(request(cpus, lifecycles, actors, link))
    result = checked(run.run())
    supersteps = result.summary["run"]["supersteps"] * 1e3  # ns to us
    *groups, kernel, driver = run.took_ns
    lifecycles_per_s, requests_per_s = rates(result)
    return Row(
        cpus,
        len(groups),
        link,
        lifecycles_per_s,
        requests_per_s,
        0.0,
        result.wall["loop_ns"] / supersteps,
        result.wall["beyond_ns"] / supersteps,
        empty_us,
        driver / supersteps,
        kernel / supersteps,
        sum(groups) / supersteps,
    )


def show(found: dict[str, Any]) -> None:
    """Print the table."""
    for cpus, local in found["local"].items():
        print(
            f"local, {cpus} CPUs: {local['lifecycles_per_s']:,.0f} lifecycles/s, "
            f"{local['requests_per_s']:,.0f} requests/s"
        )
    for name, floors in found["codec"].items():
        print(
            f"{name}: a lifecycle's messages have {floors['bytes']:.0f} bytes; msgpack packs them "
            f"in {floors['msgpack_pack_us']:.1f} us and unpacks them in "
            f"{floors['msgpack_unpack_us']:.1f}, the codec takes {floors['codec_us']:.1f} in all"
        )
    print(
        "\nCPUs actors link  lifecycles/s requests/s x local | us a superstep: all beyond empty | "
        "CPU: driver kernel CPUs"
    )
    for row in found["rows"]:
        print(
            "{cpus:4} {actors:6} {link:5} {lifecycles_per_s:12,.0f} {requests_per_s:10,.0f} "
            "{of_local:7.2f} | {superstep_us:18,.0f} {beyond_us:6,.0f} {empty_us:5,.0f} | "
            "{driver_us:11,.0f} {kernel_us:6,.0f} {groups_us:4,.0f}".format(**row)
        )


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _links(text: str) -> list[str]:
    names = text.split(",")
    if not set(names) <= set(LINKS):
        raise argparse.ArgumentTypeError(f"links are {', '.join(LINKS)}")
    return names


def main() -> None:
    """Measure, print, and write the file that --json names."""
    parser = argparse.ArgumentParser(description="How Ray scales.")
    parser.add_argument("--cpus", type=_numbers, default=[16, 64])
    parser.add_argument("--packs", type=_numbers, default=[1, 2], help="CPU actors")
    parser.add_argument("--links", type=_links, default=["shm", "graph"])
    parser.add_argument("--lifecycles", type=int, default=3_000, help="of each run")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--frame", type=int, default=2_000, help="bytes of an empty round's frames")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with RaySession("local", max(options.packs) + 1):
        found = measure(options)
    show(found)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
