"""What is configured about one emulated machine: plain data, the same in every LP.

The engine makes it from the validated config; ``to_plain`` and ``from_plain`` carry it to actors.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from kernel.costs import Costs

NOHZ: Final[tuple[str, ...]] = ("ideal", "off", "idle", "full")  # who takes ticks: kernel.cpu.tick
# profile -> its fair class; EEVDF came with 6.6
_FAIR_OF: Final = {"2.6.34": "cfs", "6.12": "eevdf"}


def fair_of(fair: str, linux: str) -> str:
    """Return the name of the fair class that ``fair``, perhaps ``auto``, means in a profile."""
    return _FAIR_OF.get(linux, "eevdf") if fair == "auto" else fair


@dataclass(slots=True)
class ImageSpec:
    """One executable of the emulated file tree.

    ``program`` is the loader's key. Pages are what exec maps and what the program touches at once.
    """

    program: str
    text_pages: int = 20
    data_pages: int = 4
    bss_pages: int = 2
    stack_pages: int = 2


@dataclass(slots=True)
class FileSpec:
    """One file of the emulated file tree at boot. ``image`` makes it executable as such.

    A guest program's file has its text as ``content``, and an image whose ``program`` is the
    loader's key of that text: its absolute path. ``/usr/bin/python3`` has the program ``python3``;
    exec of it finds the script named in argv and runs that file's image. A ``mode`` with S_IFDIR
    makes a directory; folders above a file need no entry.
    """

    mode: int = 0o644
    content: bytes = b""
    image: ImageSpec | None = None
    uid: int = 0
    gid: int = 0


@dataclass(slots=True)
class SpawnSpec:
    """Processes started as children of init: ``count`` instances from ``start_ns`` on.

    ``arrivals``, ``every_ns`` and ``burst`` say when each starts: see ``kernel.boot.arrivals``.
    They begin with ``nice``, ``oom_score_adj``, ``no_new_privs``, and with ``rlimits``, ``(RLIMIT_
    number, soft, hard)`` each, where those differ from the boot defaults.
    """

    path: str
    argv: tuple[str, ...]
    start_ns: int = 0
    count: int = 1
    every_ns: int = 0
    arrivals: str = "uniform"  # uniform | burst | poisson
    burst: int = 1
    env: tuple[tuple[str, str], ...] = ()
    cwd: str = "/"
    label: str = ""
    nice: int = 0
    rlimits: tuple[tuple[int, int, int], ...] = ()
    oom_score_adj: int = 0
    no_new_privs: bool = False
    stdin: bytes = b""  # of a file or a pipe; late: a pipe whose data come when it is read
    stdin_kind: str = "null"  # null | file | pipe | late | terminal
    terminals: int = 0  # bit 1, 2: standard output, standard error is a terminal
    cgroup: str = ""  # path of the group it begins in; "": that of init


@dataclass(slots=True)
class ServiceSpec:
    """A kernel thread that works every period; ``per_cpu``: one for each CPU."""

    name: str
    period_ns: int
    work_ns: int
    per_cpu: bool = False


@dataclass(slots=True)
class NoiseSpec:
    """What takes time from CPUs though no task asks for it.

    ``kind``: irq, softirq or steal. Every ``every_ns`` it takes ``length_ns``; of both this is the
    mean of an exponential distribution if so said. ``cpus``: those it strikes, () for all.
    """

    kind: str
    every_ns: int
    length_ns: int
    random_arrivals: bool = False
    random_lengths: bool = False
    cpus: tuple[int, ...] = ()


@dataclass(slots=True)
class MachineSpec:
    """The machine, its policies and what runs on it.

    ``fair``: ``auto`` becomes the class of the profile. ``child_runs_first``: ``auto`` is as the
    class does it (``kernel.sched.fork_order``).
    """

    cpus: int = 8
    seed: int = 42
    linux: str = "6.12"
    granularity: str = "syscall"
    arch: str = "x86"
    hz: int = 250
    memory_bytes: int = 4 << 30
    page_size: int = 4096
    pid_max: int = 32768
    threads_max: int = 0  # 0: as Linux computes it from memory
    thread_size: int = 16384
    fair: str = "auto"
    child_runs_first: str = "auto"
    fork: str = "cow"  # cow | eager
    slab: str = "caches"  # caches | pages: how structures of the kernel are laid into frames
    overcommit_memory: int = 0
    overcommit_ratio: int = 50
    oom_kill_allocating_task: bool = False
    panic_on_oom: bool = False
    services: tuple[ServiceSpec, ...] = ()
    kthreads: bool = False  # per-CPU kernel threads at boot
    acct: bool = False  # a BSD accounting record of each process for the run directory
    pid_lock: str = "own"  # own | tasklist: whether numbers and PID hash have a lock of their own
    trace: bool = True
    trace_syscalls: bool = False
    check: bool = False
    tie_break: str = "order"
    block_budget: int = 1_000_000
    guest_memory: int = 512 << 20  # bytes of host memory one guest process may hold
    epoch_ns: int = 1_700_000_000_000_000_000  # CLOCK_REALTIME at boot
    uid: int = 0
    gid: int = 0
    mutations: tuple[str, ...] = ()
    costs: Costs = field(default_factory=Costs)
    files: dict[str, FileSpec] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # loader key -> program text
    spawns: tuple[SpawnSpec, ...] = ()
    # name of a scheduling class -> what is configured of its tunables
    sched_tunables: dict[str, dict[str, Any]] = field(default_factory=dict)
    # where the class ``fair`` comes from, if not from smplab: see cluster.sched_classes
    fair_from: tuple[str, ...] = ()
    memory_model: str = "sc"  # kernel.drive.memory; granularity step
    # where the two come from if they are a file's: see cluster.driver_parts
    tie_break_from: tuple[str, ...] = ()
    memory_model_from: tuple[str, ...] = ()
    # scheduling classes of other ranks than fair, each in place of smplab's of its rank; and where
    # they come from
    classes: tuple[str, ...] = ()
    classes_from: tuple[tuple[str, ...], ...] = ()
    # how the CPUs hang together, as kernel.smp.topology.build takes it; () for a flat machine
    places: tuple[tuple[int, ...], ...] = ()
    distances: tuple[tuple[int, ...], ...] = ()
    hrtick: bool = False  # slices end when they are used up: kernel.sched.hrtick
    trace_waking: bool = False  # record who wakes whom
    nohz: str = "ideal"  # one of NOHZ
    nohz_full: tuple[int, ...] = ()  # CPUs without a tick while one task runs; of nohz "full"
    # how fast a CPU is while 1, 2, … CPUs of its core are busy, in thousandths; () for always 1000
    smt_share: tuple[int, ...] = ()
    noise: tuple[NoiseSpec, ...] = ()
    # groups of tasks, those above first: path and weight (a task of nice 0 has 1024)
    cgroups: tuple[tuple[str, int], ...] = ()
    autogroup: bool = True  # where there is such a thing: kernel.sched.classes.autogroup_of
    timer_slack: bool = False  # sleeps end late by their slack: kernel.time.slack
    # what each of them may have: quota in a period, -1 for no limit, period, burst, all in ns;
    # () if none has a limit
    cgroup_max: tuple[tuple[int, int, int], ...] = ()

    def __post_init__(self) -> None:
        """Take the fair class of the profile."""
        self.fair = fair_of(self.fair, self.linux)

    def to_plain(self) -> dict[str, Any]:
        """Return the spec as data that msgpack can carry."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> "MachineSpec":
        """Return the spec that ``to_plain`` described (msgpack turns tuples into lists)."""
        data = dict(data)
        data["costs"] = Costs(**data["costs"])
        data["files"] = {
            path: FileSpec(
                **{**plain, "image": ImageSpec(**plain["image"]) if plain["image"] else None}
            )
            for path, plain in data["files"].items()
        }
        data["spawns"] = tuple(
            SpawnSpec(
                **{
                    **plain,
                    "argv": tuple(plain["argv"]),
                    "env": tuple((name, value) for name, value in plain["env"]),
                    "rlimits": tuple((which, soft, hard) for which, soft, hard in plain["rlimits"]),
                }
            )
            for plain in data["spawns"]
        )
        data["services"] = tuple(ServiceSpec(**plain) for plain in data["services"])
        data["mutations"] = tuple(data["mutations"])
        for source in ("fair_from", "tie_break_from", "memory_model_from"):
            data[source] = tuple(data.get(source, ()))
        data["cgroups"] = tuple((path, shares) for path, shares in data.get("cgroups", ()))
        data["cgroup_max"] = tuple(tuple(each) for each in data.get("cgroup_max", ()))
        data["classes"] = tuple(data.get("classes", ()))
        data["classes_from"] = tuple(tuple(source) for source in data.get("classes_from", ()))
        data["nohz_full"] = tuple(data.get("nohz_full", ()))
        data["smt_share"] = tuple(data.get("smt_share", ()))
        data["noise"] = tuple(
            NoiseSpec(**{**plain, "cpus": tuple(plain["cpus"])}) for plain in data.get("noise", ())
        )
        for rows in ("places", "distances"):
            data[rows] = tuple(tuple(row) for row in data.get(rows, ()))
        return cls(**data)
