"""The shape of a configuration: every key, its bounds and its default.

Nothing is coerced (strict), nothing unknown is accepted. What the design names but this version
does not have is refused with that message, so that no key is ever accepted and ignored. Checks
that need more than one key are in ``cluster.config.load``; names of files and programs are looked
up by ``cluster.build``.
"""

from typing import Annotated, Any, ClassVar, Final, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema

from cluster.config.cgroups import Cgroup, CgroupPath
from cluster.config.model import Model, NameAlone
from cluster.config.noise import Noise
from cluster.config.quantities import DAY_NS, SECOND_NS, Duration, OneOf, OneOfOrOwn, Size
from cluster.config.sched import Sched, SchedKeys
from cluster.config.ticks import CpuList
from cluster.config.topology import Topology
from cluster.plugins import CHOOSER, MEMORY_MODEL, SCHEME
from cluster.sync.scheme import BUILTIN
from kernel.costs import cost_names
from kernel.drive.chooser import chooser_names
from kernel.drive.memory import ELSEWHERE, memory_model_names
from kernel.machine import NOHZ
from workloads.generators import GENERATORS

ENGINES: Final = ("local", "ray")
SCHEMES: Final = tuple(BUILTIN)
# up to so many CPUs exact takes at most 1.4 times as long as barrier; with 1024 it is twice as long
EXACT_CPUS: Final = 64

MAX_HOSTS: Final = 1000

NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
WORD_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
IMAGE_PATTERN: Final = r"^(/[A-Za-z0-9._+-]+)+$|^[A-Za-z0-9._+-]+$"
SERVICE_PATTERN: Final = r"^[A-Za-z0-9_.:-]{1,15}$"
UNIT_PATTERN: Final = r"^(ns|ps)( per [a-z ]+)?$"


def _no_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not hold a NUL character")
    return value


Text = Annotated[str, Field(max_length=4096), AfterValidator(_no_nul)]


def _argument(value: Any) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int or type(value) is float:
        return str(value)
    if type(value) is not str:
        raise ValueError("must be text, a number or a boolean")
    if len(value) > 4096 or "\0" in value:
        raise ValueError("must have at most 4096 characters and no NUL")
    return value


Argument = Annotated[
    str,
    PlainValidator(_argument),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
EnvName = Annotated[str, Field(pattern=WORD_PATTERN, max_length=255)]
ParamName = Annotated[str, Field(pattern=WORD_PATTERN, max_length=64)]
ProgramName = Annotated[
    str,
    Field(min_length=1, max_length=4096, description="A shipped program's name, or a path."),
    AfterValidator(_no_nul),
]
ImageName = Annotated[str, Field(pattern=IMAGE_PATTERN, max_length=255)]
Pages = Annotated[int, Field(ge=0, le=1 << 20)]
Uid = Annotated[int, Field(ge=0, le=(1 << 32) - 2)]


class Machine(Model):
    """The emulated hardware and what the kernel is booted with."""

    cpus: Annotated[int, Field(ge=1, le=4096, description="Simulated CPUs.")] = 8
    memory: Annotated[int, Size(16 << 20, 16 << 40, "RAM of the machine.")] = 4 << 30
    arch: Annotated[str, OneOf("x86", "ppc"), Field(description="How current is found.")] = "x86"
    hz: Annotated[
        int, OneOf(100, 250, 300, 1000), Field(description="Timer ticks per second (CONFIG_HZ).")
    ] = 250
    pid_max: Annotated[
        int | None,
        Field(ge=301, le=4_194_304, description="kernel.pid_max; by default as Linux sets it."),
    ] = None
    threads_max: Annotated[
        int | None,
        Field(ge=20, le=0x3FFFFFFF, description="kernel.threads-max; by default from memory."),
    ] = None
    thread_size: Annotated[
        int, Size(4 << 10, 64 << 10, "Kernel stack of a task.", power_of_two=True)
    ] = 16 << 10
    page_size: Annotated[int, OneOf(4096), Field(description="Bytes per page.")] = 4096
    uid: Annotated[Uid, Field(description="User that the workloads run as.")] = 0
    gid: Annotated[Uid, Field(description="Group that the workloads run as.")] = 0
    memory_model: Annotated[
        str,
        OneOfOrOwn(*memory_model_names(), kind=MEMORY_MODEL, elsewhere=ELSEWHERE),
        Field(
            description="When CPUs see each other's stores in granularity step: sc, at once; tso, "
            "pso, when they leave the buffer of their CPU; or a model of your own, FILE.py:CLASS, "
            "or the name of an installed one."
        ),
    ] = "sc"
    topology: Annotated[
        Topology | None,
        Field(
            description="How the CPUs hang together; says how many there are, too. By default all "
            "are equally near to one another."
        ),
    ] = None
    noise: Annotated[
        Noise | None, Field(description="What takes time from the CPUs; nothing by default.")
    ] = None
    timer_slack: Annotated[
        bool,
        Field(
            description="Sleeps of normal tasks end late by up to their timer slack, 50 us unless "
            "prctl() says otherwise, as on Linux; false: when they should."
        ),
    ] = False
    nohz: Annotated[
        str,
        OneOf(*NOHZ),
        Field(
            description="Who takes the tick, by Linux's words: off, every CPU always; idle, every "
            "CPU that runs something; full, those of them that are not in nohz_full, too, if it "
            "is one task. ideal: nobody with one task, and it costs nothing."
        ),
    ] = "ideal"
    nohz_full: Annotated[
        tuple[int, ...] | None,
        CpuList(),
        Field(description="CPUs without a tick while they run one task: 1-3,7. Of nohz: full."),
    ] = None


class Service(Model):
    """A kernel thread that works on its own account: noise for the workloads."""

    name: Annotated[str, Field(pattern=SERVICE_PATTERN, description="Its name.")]
    period: Annotated[int, Duration(10_000, 3600 * SECOND_NS, "Time between two rounds of work.")]
    work: Annotated[int, Duration(0, SECOND_NS, "CPU time of one round, in kernel mode.")]
    per_cpu: Annotated[bool, Field(description="One thread bound to each CPU.")] = False


class Kernel(Model):
    """What the emulated kernel does beside running the workloads."""

    kthreads: Annotated[
        bool,
        Field(description="Per-CPU kernel threads at boot (cpuhp, migration, ksoftirqd)."),
    ] = False
    services: Annotated[
        list[Service], Field(max_length=16, description="Kernel threads with work of their own.")
    ] = []

    acct: Annotated[
        bool,
        Field(description="BSD process accounting: one record per process, in RUN/pacct."),
    ] = False
    pid_lock: Annotated[
        str,
        OneOf("own", "tasklist"),
        Field(description="What guards numbers and PID hash: pidmap_lock, or tasklist_lock too."),
    ] = "own"


class Vm(Model):
    """Memory policies, by the names of Linux's vm.* sysctls; fork is not one of those."""

    fork: Annotated[
        str,
        OneOf("cow", "eager"),
        Field(description="cow: share pages until somebody writes; eager: copy them all at once."),
    ] = "cow"
    slab: Annotated[
        str,
        OneOf("caches", "pages"),
        Field(description="Kernel structures: packed in slab caches, or in pages of their own."),
    ] = "caches"
    overcommit_memory: Annotated[
        int,
        OneOf(0, 1, 2),
        Field(description="0: refuse the absurd; 1: never refuse; 2: ENOMEM beyond the limit."),
    ] = 0
    overcommit_ratio: Annotated[
        int, Field(ge=0, le=100, description="Percent of memory that policy 2 may promise.")
    ] = 50
    oom_kill_allocating_task: Annotated[
        bool, Field(description="Out of memory kills the task that faults, not the largest.")
    ] = False
    panic_on_oom: Annotated[bool, Field(description="Out of memory ends the run.")] = False


class Sync(Model):
    """How far CPUs may run ahead of each other."""

    scheme: Annotated[
        str,
        OneOfOrOwn("auto", *SCHEMES, kind=SCHEME),
        Field(
            description="exact: the reference, one CPU at a time; barrier: supersteps; "
            "redblack: supersteps of one half of the CPUs while the kernel serves the other; "
            "free: local engine, at granularity step any path in the kernel may go next; "
            "slack, lax: CPUs run free, with or without a bound, and requests are served as they "
            "arrive (on the local engine in a seeded shuffle); "
            f"auto: exact on the local engine up to {EXACT_CPUS} CPUs, else barrier; or one of "
            "your own, FILE.py:CLASS, or the name of an installed one."
        ),
    ] = "auto"
    quantum: Annotated[
        int,
        Duration(
            1_000,
            SECOND_NS,
            "Longest superstep of barrier and redblack; under slack and lax, how far a CPU runs "
            "before it looks for messages.",
        ),
    ] = 100_000
    slack: (
        Annotated[
            int,
            Duration(1_000, DAY_NS, "Scheme slack: how far a CPU may be ahead of the slowest."),
        ]
        | None
    ) = None
    tie_break: Annotated[
        str,
        OneOfOrOwn(*chooser_names(), kind=CHOOSER),
        Field(
            description="Order in granularity step: by time, or any (seeded); or a chooser of "
            "your own, FILE.py:CLASS, or the name of an installed one."
        ),
    ] = "order"


def _address(value: Any) -> str:
    if type(value) is str:
        if value in ("local", "auto"):
            return value
        host, colon, port = value.rpartition(":")
        named = bool(colon and host) and "/" not in value and " " not in value
        if named and port.isdecimal() and 1 <= int(port) <= 65535:
            return value
    raise ValueError("must be local, auto or HOST:PORT")


def _cpus_per_actor(value: Any) -> int | str:
    if value == "auto" or (type(value) is int and 1 <= value <= 4096):
        return cast(int | str, value)
    raise ValueError("must be from 1 to 4096, or auto")


def _hosts(value: Any) -> int | str:
    if value == "auto" or (type(value) is int and 1 <= value <= MAX_HOSTS):
        return cast(int | str, value)
    raise ValueError(f"must be from 1 to {MAX_HOSTS}, or auto")


class Ray(Model):
    """Where and how the Ray engine runs."""

    address: Annotated[
        str,
        BeforeValidator(_address),
        Field(description="local: start one for this run; auto or HOST:PORT: join that cluster."),
    ] = "local"
    cpus_per_actor: Annotated[
        int | str,
        PlainValidator(_cpus_per_actor),
        WithJsonSchema(
            {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 4096}, {"const": "auto"}]}
        ),
        Field(
            description="1: an actor for each CPU; auto: no more actors than there are cores for."
        ),
    ] = "auto"
    beside: Annotated[
        int,
        Field(
            ge=0,
            le=4095,
            description="So many CPUs, the first ones, are in the kernel actor's process; not "
            "where CPUs run free.",
        ),
    ] = 0
    link: Annotated[
        str,
        OneOf("auto", "shm", "graph", "calls"),
        Field(
            description="How actors exchange messages. shm: Unix sockets, if all are on this host; "
            "graph: a Ray Compiled Graph; calls: Ray's actor calls; auto: the first that works."
        ),
    ] = "auto"
    hosts: Annotated[
        int | str,
        PlainValidator(_hosts),
        WithJsonSchema(
            {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MAX_HOSTS}, {"const": "auto"}]}
        ),
        Field(
            description="Hosts of a cluster that is joined, over which the actors are spread, each "
            "with an equal share; auto: all that it has."
        ),
    ] = "auto"
    max_recoveries: Annotated[
        int,
        Field(
            ge=0,
            le=1_000_000,
            description="How often the run goes on from its last checkpoint with new actors, "
            "after one died or was stopped.",
        ),
    ] = 3


class Image(Model):
    """A declared executable: what exec maps, how long it runs and how it ends."""

    program: ProgramName | None = None
    text_pages: Pages = 20
    data_pages: Pages = 4
    bss_pages: Pages = 2
    stack_pages: Annotated[int, Field(ge=1, le=2048)] = 2
    running_time: Annotated[int, Duration(0, DAY_NS, "CPU time it takes.")] = 0
    exit_code: Annotated[int, Field(ge=0, le=255)] = 0


class Arrivals(Model):
    """When the instances of a workload start: a generator and the keys it needs."""

    pattern: Annotated[str, OneOf(*GENERATORS)]
    every: (
        Annotated[int, Duration(0, DAY_NS, "uniform, burst: time from one to the next.")] | None
    ) = None
    size: Annotated[
        int | None, Field(ge=1, le=1_000_000, description="burst: instances at once.")
    ] = None
    rate: Annotated[
        int | None,
        Field(ge=1, le=SECOND_NS, description="poisson: mean arrivals per virtual second."),
    ] = None


_SOURCES: Final = ("program", "import", "preset")


class Workload(Model):
    """One program, with parameters, started ``instances`` times.

    Instead of a program it may name a file of another tool (``cluster.imports``), or a benchmark as
    people type it (``cluster.presets``).
    """

    imported: Annotated[
        str | None,
        Field(
            alias="import",
            min_length=1,
            max_length=4096,
            description="A file of another tool, such as rt-app's JSON, instead of a program.",
        ),
        AfterValidator(_no_nul),
    ] = None
    preset: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=4096,
            description="A benchmark with its own options, such as hackbench:-p, instead of a "
            "program.",
        ),
        AfterValidator(_no_nul),
    ] = None
    program: ProgramName | None
    params: Annotated[
        dict[ParamName, Argument],
        Field(description="Passed to the program as k=v arguments, in this order."),
    ] = {}
    args: Annotated[list[Argument], Field(max_length=10_000)] = []
    instances: Annotated[int, Field(ge=1, le=10_000_000)] = 1
    start: Annotated[int, Duration(0, 365 * DAY_NS, "Virtual time of the first instance.")] = 0
    every: Annotated[
        int, Duration(0, DAY_NS, "Time between two instances: the uniform pattern, for short.")
    ] = 0
    arrivals: Arrivals | None = None
    env: Annotated[dict[EnvName, Text], Field(max_length=1000)] = {}
    stdin: (
        Annotated[str, Field(max_length=1 << 20, description="What standard input has.")] | None
    ) = None
    cgroup: Annotated[
        CgroupPath | None, Field(description="Group of cgroups that its processes begin in.")
    ] = None
    unbuffered: Annotated[
        bool, Field(description="Standard output and error are not buffered: python3 -u.")
    ] = False

    @model_validator(mode="before")
    @classmethod
    def _one_source(cls, value: Any) -> Any:
        named = [key for key in _SOURCES if key in value] if type(value) is dict else []
        if len(named) > 1:
            raise ValueError(f"has both {' and '.join(named)}: name one")
        return value if named in ([], ["program"]) else {**value, "program": None}

    @field_validator("program", mode="before")
    @classmethod
    def _named(cls, value: Any, info: ValidationInfo) -> Any:
        others = [info.data[key] for key in ("imported", "preset") if key in info.data]
        if value is None and others == [None, None]:
            raise ValueError("must be text")
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        whole = handler.resolve_ref_schema(handler(schema))
        whole["required"] = [key for key in whole["required"] if key != "program"]
        whole["properties"]["program"] = whole["properties"]["program"]["anyOf"][0]
        whole["oneOf"] = [{"required": [key]} for key in _SOURCES]
        return whole


class Trace(Model):
    """The event stream of a run."""

    enabled: bool = True
    syscalls: Annotated[bool, Field(description="Record every system call, too.")] = False
    waking: Annotated[
        bool, Field(description="Record who wakes whom, too: sched_waking, for timehist -w.")
    ] = False


class Limits(Model):
    """When a run is stopped. Without a limit it runs until all programs have ended."""

    virtual_time: (
        Annotated[int, Duration(1_000, 365 * DAY_NS, "Virtual time at which the run stops.")] | None
    ) = None
    wall_time: (
        Annotated[int, Duration(1_000_000, 365 * DAY_NS, "Host time after which it stops.")] | None
    ) = None
    block_budget: Annotated[
        int,
        Field(
            ge=1_000,
            le=1_000_000_000,
            description="Steps one block of a guest program may take before it is killed.",
        ),
    ] = 1_000_000
    guest_memory: (
        Annotated[
            int,
            Size(
                1 << 20,
                1 << 40,
                "Host memory that the values of one guest process may take; more is a MemoryError"
                " in the program. By default an eighth of the machine's memory.",
            ),
        ]
        | None
    ) = None


def _status(value: Any) -> int | str:
    if value == "any" or (type(value) is int and 0 <= value <= 255):
        return cast(int | str, value)
    raise ValueError("must be from 0 to 255, or any")


class Checkpoint(Model):
    """When a run notes where it stands, so that ``smplab resume`` can go on with it."""

    enabled: Annotated[bool, Field(description="Take checkpoints, in RUN/checkpoints.")] = True
    every: Annotated[
        int,
        Duration(
            1_000_000,
            DAY_NS,
            "Host time between two of them; more where one takes over a twentieth of that.",
        ),
    ] = 30 * SECOND_NS
    supersteps: Annotated[
        int | None,
        Field(ge=1, le=1_000_000_000, description="Supersteps after which one is due, too."),
    ] = None


class Expect(Model):
    """What must hold at the end, else the exit code is 1."""

    exit_status: Annotated[
        int | str,
        PlainValidator(_status),
        WithJsonSchema(
            {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 255}, {"const": "any"}]}
        ),
        Field(description="Exit status of every started program; any: not looked at."),
    ] = 0


CostValue = Annotated[int, Field(ge=0, le=3_600 * SECOND_NS)]


CostName = Annotated[str, OneOf(*cost_names())]


class CostEntry(Model):
    """One cost of a profile file."""

    value: CostValue
    unit: Annotated[str, Field(pattern=UNIT_PATTERN)]
    source: Annotated[str, Field(min_length=1, description="Where the value comes from.")]
    interval: Annotated[
        list[CostValue] | None,
        Field(
            min_length=2,
            max_length=2,
            description="Between which values it is, as measured; no run reads it.",
        ),
    ] = None


class CostProfile(Model):
    """A cost profile file. Costs it leaves out are those of the profile ``default``."""

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    description: str = ""
    host: Annotated[dict[str, str], Field(description="Where and how it was measured.")] = {}
    costs: dict[CostName, CostEntry]


class Costs(NameAlone):
    """A profile and what differs from it. Values are in the unit of the profile file."""

    named: ClassVar[str] = "profile"

    profile: Annotated[
        str,
        Field(min_length=1, max_length=4096, description="A shipped profile, or a path."),
        AfterValidator(_no_nul),
    ] = "default"
    values: Annotated[dict[CostName, CostValue], Field(description="Costs that differ.")] = {}


class RunConfig(Model):
    """A whole configuration file."""

    name: Annotated[str, Field(pattern=NAME_PATTERN)] = "run"
    seed: Annotated[int, Field(ge=0, le=(1 << 63) - 1)] = 42
    engine: Annotated[str, OneOf(*ENGINES)] = "local"
    linux: Annotated[str, OneOf("6.12", "2.6.34")] = "6.12"
    granularity: Annotated[str, OneOf("syscall", "step")] = "syscall"
    machine: Machine = Machine()
    sched: Sched = Sched()
    vm: Vm = Vm()
    kernel: Kernel = Kernel()
    sync: Sync = Sync()
    ray: Ray = Ray()
    costs: Costs = Costs()
    images: dict[ImageName, Image] = {}
    cgroups: Annotated[
        dict[CgroupPath, Cgroup],
        Field(max_length=1000, description="Groups of tasks by path (a, a/b), as of cgroup v2."),
    ] = {}
    workloads: Annotated[list[Workload], Field(min_length=1, max_length=10_000)]
    trace: Trace = Trace()
    check: Annotated[bool, Field(description="Check all invariants while running.")] = False
    mutations: Annotated[
        list[Text],
        Field(
            max_length=100,
            description="Seeded bugs: points of the kernel dropped, weakened, moved or swapped "
            "(docs/races.md), and those of balancing (smplab list mutations).",
        ),
    ] = []
    limits: Limits = Limits()
    record: Annotated[
        str,
        OneOf("auto", "order"),
        Field(
            description="order: write RUN/order.log, from which smplab replay makes the run again; "
            "auto: only under a scheme that is not deterministic."
        ),
    ] = "auto"
    checkpoint: Checkpoint = Checkpoint()
    expect: Expect = Expect()
    out: Annotated[Text, Field(description="Folder that gets one run directory per run.")] = "runs"

    @property
    def taken_scheme(self) -> str:
        """The scheme that a run takes: the one that is named, or what ``auto`` stands for."""
        if self.sync.scheme != "auto":
            return self.sync.scheme
        small = self.engine == "local" and self.machine.cpus <= EXACT_CPUS
        return "exact" if small else "barrier"


def config_with(sched: type[SchedKeys]) -> type[RunConfig]:
    """Return the model of a configuration whose key ``sched`` has other sections."""
    keys: Any = {"sched": (sched, sched())}
    made: type[RunConfig] = create_model("RunConfig", __base__=RunConfig, **keys)
    return made
