"""From a checked configuration to ``kernel.machine.MachineSpec``: file tree, programs, processes.

The tree that every machine has: the built-in images in ``/bin`` and ``/usr/bin`` (each a guest
program, ``workloads/programs/bin_*.py``), ``/usr/bin/python3``, and the images a config declares.
The kernel's boot adds ``/dev``, ``/proc`` and ``/tmp``.

A workload's program is installed as an executable script and started by its path, so that its tasks
have its name: its ``#!`` line is made to name ``/usr/bin/python3``; where it has none, it gets one
(a program that reads its own file sees that, line numbers in tracebacks are those of the original).
A shipped program is at ``/usr/share/smplab/NAME.py``. One given by path in a config is found
relative to the config, with the other ``.py`` files of its folder beside it, and appears under
``/srv`` at the same relative path (each leading ``..`` as ``up``), so that a run means the same
wherever the config lies. ``smplab guest`` runs ``python3 PROGRAM`` instead, as one would type it,
with the program at its path on the host.
"""

import difflib
import posixpath
import stat
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cluster.catalogue import (
    COMMANDS,
    CONFIGS,
    OTHER_NAMES,
    PROGRAMS,
    cost_profile_names,
    program_names,
    program_source,
)
from cluster.config.errors import ConfigError, Problem, got
from cluster.config.params import lifecycles
from cluster.plugins import place_of
from kernel.costs import Costs
from kernel.machine import FileSpec, ImageSpec, MachineSpec, ServiceSpec, SpawnSpec
from kernel.process.binprm import CANT_OPEN
from kernel.uapi.clock import NSEC_PER_SEC
from workloads.generators import mean_gap_ns
from workloads.language.source_text import decode

if TYPE_CHECKING:  # ``guest_spec`` needs no configuration, and so neither pydantic nor YAML
    from cluster.config import Loaded
    from cluster.config.models import Image, Kernel, Workload

PYTHON: Final = "/usr/bin/python3"
INTERPRETER_LINE: Final = b"#!" + PYTHON.encode()
SHIPPED: Final = "/usr/share/smplab"
MAX_FOLDER_FILES: Final = 1000
MAX_PROGRAM_BYTES: Final = 1 << 20

_RESERVED: Final = frozenset({PYTHON, "/dev", "/proc", "/tmp", "/srv", SHIPPED})
_S_IFDIR: Final = 0o040000
# What a guest of the command line sees; the host's environment would make runs differ.
GUEST_ENV: Final = (("LANG", "C.UTF-8"), ("PATH", "/usr/local/bin:/usr/bin:/bin"))


def resolve(loaded: "Loaded") -> MachineSpec:
    """Return the machine that a configuration describes.

    Raises:
        ConfigError: a program, an image or a cost profile cannot be used: every problem at once,
            those that ``loaded`` has included.
    """
    spec, problems = look_at_machine(loaded)
    if problems:
        raise ConfigError(problems)
    return spec


def look_at_machine(loaded: "Loaded") -> "tuple[MachineSpec, list[Problem]]":
    """Return the machine that a configuration describes, and every problem of it.

    If there are any, it is the machine of what is sound.
    """
    from cluster.config.cgroups import in_order, limits_of, shares_of

    config = loaded.config
    machine, sched = config.machine, config.sched
    tree = _Tree(loaded)
    for name, image in config.images.items():
        tree.declare(name, image)
    spawns = [tree.spawn(index, workload) for index, workload in enumerate(config.workloads)]
    costs = _costs(loaded, tree.problems) if loaded.is_sound("costs") else Costs()
    if costs.tick * machine.hz >= NSEC_PER_SEC:
        what = f"tick takes {costs.tick} ns, all the time that there is at {machine.hz} Hz"
        tree.problems.append(loaded.problem(("costs",), what))
    spec = MachineSpec(
        cpus=machine.cpus,
        seed=config.seed,
        linux=config.linux,
        granularity=config.granularity,
        arch=machine.arch,
        hz=machine.hz,
        memory_bytes=machine.memory,
        page_size=machine.page_size,
        pid_max=machine.pid_max or default_pid_max(machine.cpus, config.linux),
        threads_max=machine.threads_max or 0,
        thread_size=machine.thread_size,
        fair=loaded.fair.name,
        child_runs_first=sched.child_runs_first,
        sched_tunables={
            cls.name: changed
            for cls in loaded.classes
            if (changed := sched.changed(cls, config.linux))
        },
        fair_from=loaded.fair_from,
        classes=tuple(found.cls.name for found in loaded.others),
        classes_from=tuple(found.source for found in loaded.others),
        fork=config.vm.fork,
        slab=config.vm.slab,
        overcommit_memory=config.vm.overcommit_memory,
        overcommit_ratio=config.vm.overcommit_ratio,
        oom_kill_allocating_task=config.vm.oom_kill_allocating_task,
        panic_on_oom=config.vm.panic_on_oom,
        kthreads=config.kernel.kthreads,
        services=services_of(config.kernel),
        acct=config.kernel.acct,
        pid_lock=config.kernel.pid_lock,
        trace=config.trace.enabled,
        trace_syscalls=config.trace.syscalls,
        check=config.check,
        tie_break=place_of(config.sync.tie_break, loaded.folder),
        tie_break_from=loaded.tie_break_from,
        memory_model=place_of(machine.memory_model, loaded.folder),
        memory_model_from=loaded.memory_model_from,
        mutations=tuple(config.mutations),
        block_budget=config.limits.block_budget,
        guest_memory=config.limits.guest_memory or max(machine.memory >> 3, 16 << 20),
        uid=machine.uid,
        gid=machine.gid,
        costs=costs,
        files=tree.files,
        sources=tree.sources,
        spawns=tuple(spawn for spawn in spawns if spawn.path in tree.sources),
        places=loaded.cpus.places if len(loaded.cpus.places) == machine.cpus else (),
        distances=loaded.cpus.distances,
        hrtick=sched.hrtick,
        trace_waking=config.trace.waking,
        nohz=machine.nohz,
        nohz_full=machine.nohz_full or (),
        smt_share=loaded.smt_share,
        noise=loaded.noise,
        autogroup=sched.autogroup is not False,
        timer_slack=machine.timer_slack,
        cgroups=tuple((path, shares_of(config.cgroups[path])) for path in in_order(config.cgroups)),
        cgroup_max=limits_of(config.cgroups),
    )
    return spec, [*loaded.problems, *tree.problems]


def shown_programs(loaded: "Loaded") -> dict[str, str]:
    """Return, for the programs a config names by path: place in the tree -> file on the host."""
    config = loaded.config
    names = [each.program for each in config.workloads if each.program is not None]
    names += [image.program for image in config.images.values() if image.program is not None]
    return {
        tree_path(name): str(loaded.folder / name)
        for name in names
        if "/" in name or name.endswith(".py")
    }


def guest_spec(
    program: Path,
    args: list[str],
    *,
    unbuffered: bool = False,
    stdin: bytes | None = None,
    stdin_kind: str = "file",
    terminals: int = 0,
    env: Sequence[tuple[str, str]] = (),
    **changes: Any,
) -> MachineSpec:
    """Return a machine that runs one program as ``python3 PROGRAM ARG...`` in this folder.

    Args:
        program: as the user typed it; the guest sees this as ``sys.argv[0]``.
        unbuffered: as ``python3 -u``.
        stdin: what standard input has; None: it is /dev/null.
        stdin_kind: what it is: file, pipe, late or terminal.
        terminals: bit 1, 2: standard output, standard error is a terminal.
        env: environment variables besides the usual ones; they come first.
        changes: further fields of the spec.

    Raises:
        ConfigError: the program cannot be read.
    """
    tree = _Tree(None)
    cwd = str(Path.cwd())
    path = posixpath.normpath(posixpath.join(cwd, str(program)))
    tree.folder_of(Path(path), path, str(program))
    if tree.problems:
        raise ConfigError(tree.problems)
    if not any(file.startswith(cwd.rstrip("/") + "/") for file in tree.files):
        tree.files[cwd] = FileSpec(mode=_S_IFDIR | 0o755)
    spawn = SpawnSpec(
        path=PYTHON,
        argv=("python3", *(["-u"] if unbuffered else []), str(program), *args),
        env=tuple({**dict(GUEST_ENV), **dict(env)}.items()),
        cwd=cwd,
        label=program.name,
        stdin=stdin or b"",
        stdin_kind="null" if stdin is None else stdin_kind,
        terminals=terminals,
    )
    cpus = int(changes.get("cpus", MachineSpec().cpus))
    spec = MachineSpec(
        pid_max=default_pid_max(cpus, MachineSpec().linux),
        files=tree.files,
        sources=tree.sources,
        spawns=(spawn,),
    )
    return replace(spec, **changes)


def services_of(kernel: "Kernel") -> tuple[ServiceSpec, ...]:
    """Return the kernel threads that a configuration asks for."""
    return tuple(
        ServiceSpec(service.name, service.period, service.work, service.per_cpu)
        for service in kernel.services
    )


def lone_spec(program: Path, args: list[str], **changes: Any) -> tuple[MachineSpec, str]:
    """Return a machine that runs one program and holds nothing of its folder.

    It has no path of this host in it: the program is ``/srv/NAME``, so the machine is the same
    wherever the file lies.

    Args:
        program: a file.
        args: of the program.
        changes: further fields of the spec.

    Returns:
        the machine, whose program nobody has compiled; and why it cannot be used, or an empty
        string.
    """
    tree = _Tree(None)
    path = f"/srv/{program.name}"
    try:
        data = _read_program(program)
    except OSError as error:
        return MachineSpec(), f"{program}: {error.strerror}"
    except ValueError as error:
        return MachineSpec(), f"{program}: {error}"
    if not tree._add(path, data, executable=False):
        tree.sources[path] = decode(data)
    spawn = SpawnSpec(
        path=PYTHON,
        argv=("python3", path, *args),
        env=GUEST_ENV,
        cwd="/srv",
        label=program.name.removesuffix(".py"),
        stdin_kind="null",
    )
    cpus, linux = int(changes.get("cpus", MachineSpec().cpus)), MachineSpec().linux
    spec = MachineSpec(
        granularity="step",
        trace=False,
        pid_max=default_pid_max(cpus, str(changes.get("linux", linux))),
        files=tree.files,
        sources=tree.sources,
        spawns=(spawn,),
    )
    return replace(spec, **changes), ""


def program_file(spawn: SpawnSpec) -> str:
    """Return the path of the guest program that a spawn runs, itself or by the interpreter."""
    words = spawn.argv[1:] if spawn.path == PYTHON else (spawn.path,)
    script = next(word for word in words if word != "-u")
    return posixpath.normpath(posixpath.join(spawn.cwd, script))


def expected_lifecycles(spec: MachineSpec) -> int | None:
    """Return how many tasks a machine will have had in the end; None: some program cannot say."""
    total = 0
    for spawn in spec.spawns:
        given = dict(word.split("=", 1) for word in spawn.argv if "=" in word)
        count = lifecycles(spec.sources[program_file(spawn)], given)
        if count is None:
            return None
        total += count * spawn.count
    return total


def default_pid_max(cpus: int, linux: str) -> int:
    """Return kernel.pid_max as a machine boots with it.

    Source: kernel/pid.c:pid_idr_init(); include/linux/threads.h.
    """
    if linux == "2.6.34":
        return 32768
    return min(max(32768, 1024 * cpus), 4_194_304)


class _Tree:
    """The file tree and the programs while they are put together; collects problems."""

    def __init__(self, loaded: "Loaded | None") -> None:
        self.loaded = loaded
        self.files: dict[str, FileSpec] = {}
        self.sources: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.labels: dict[str, int] = {}
        self.placed: dict[str, Path] = {}
        self.declared: set[str] = set()
        for name in COMMANDS:
            key = f"bin_{name}"
            self.sources[key] = program_source(key)
            names = [name, *(other for other, of in OTHER_NAMES.items() if of == name)]
            for path in (f"{folder}/{each}" for each in names for folder in ("/bin", "/usr/bin")):
                self.files[path] = FileSpec(mode=0o755, image=ImageSpec(program=key))
        self.files[PYTHON] = FileSpec(mode=0o755, image=ImageSpec(program="python3"))
        self.sources[CANT_OPEN] = program_source("bin_python3_cant_open")

    def declare(self, name: str, image: "Image") -> None:
        """Add the executable ``name`` (in /usr/bin, or a path)."""
        path = name if name.startswith("/") else f"/usr/bin/{name}"
        where = ("images", name)
        if path in _RESERVED or path.startswith(("/dev/", "/proc/")):
            self._problem(where, f"{path} cannot be replaced", of_key=True)
            return
        for other in self.files:
            if other.startswith(f"{path}/") or path.startswith(f"{other}/"):
                self._problem(
                    where, f"{path} would be both a file and a folder ({other})", of_key=True
                )
                return
        if path in self.declared:
            self._problem(where, f"{path} is declared twice", of_key=True)
            return
        self.declared.add(path)
        if image.program is None:
            key = f"image:{path}"
            self.sources[key] = image_source(image.running_time, image.exit_code)
        else:
            found = self.program(image.program, (*where, "program"))
            if found is None:
                return
            key = found
        spec = ImageSpec(
            program=key,
            text_pages=image.text_pages,
            data_pages=image.data_pages,
            bss_pages=image.bss_pages,
            stack_pages=image.stack_pages,
        )
        self.files[path] = FileSpec(mode=0o755, image=spec)

    def spawn(self, index: int, workload: "Workload") -> SpawnSpec:
        """Return the processes of one workload; its program is added to the tree."""
        where: tuple[str | int, ...] = ("workloads", index)
        if workload.imported is not None:
            path = self.imported(workload.imported, (*where, "import")) or ""
        elif workload.preset is not None:
            path = self.preset(workload.preset, (*where, "preset")) or ""
        else:
            assert workload.program is not None
            path = self.program(workload.program, (*where, "program")) or ""
        self._check_params(index, workload, path)
        stem = posixpath.basename(path).removesuffix(".py")
        number = self.labels[stem] = self.labels.get(stem, 0) + 1
        params = [f"{name}={value}" for name, value in workload.params.items()]
        self._install(path)
        return SpawnSpec(
            path=path,
            argv=(path, *params, *workload.args),
            stdin=(workload.stdin or "").encode(),
            stdin_kind="null" if workload.stdin is None else "file",
            start_ns=workload.start,
            count=workload.instances,
            **_arrivals(workload),
            env=tuple(
                (
                    {"PYTHONUNBUFFERED": "1"} | workload.env
                    if workload.unbuffered
                    else workload.env
                ).items()
            ),
            cwd=posixpath.dirname(path),
            label=stem if number == 1 else f"{stem}.{number}",
            cgroup=workload.cgroup or "",
        )

    def _install(self, path: str) -> None:
        """Make a program's file executable, by a ``#!`` line that names the interpreter itself."""
        file = self.files.get(path)
        if file is None:  # there was a problem with it
            return
        first, newline, rest = file.content.partition(b"\n")
        if first.startswith(b"#!"):
            text = INTERPRETER_LINE + newline + rest
        else:
            text = INTERPRETER_LINE + b"\n" + file.content
        self.files[path] = replace(file, mode=file.mode | 0o111, content=text)

    def program(self, name: str, where: tuple[str | int, ...]) -> str | None:
        """Add the program ``name`` and return its path in the tree; None if there is none."""
        assert self.loaded is not None
        if "/" not in name and not name.endswith(".py"):
            if name not in program_names():
                close = difflib.get_close_matches(name, program_names(), n=1)
                hint = f"did you mean {close[0]}?" if close else "smplab list names them"
                self._problem(where, f"no shipped program {name!r} ({hint})")
                return None
            path = f"{SHIPPED}/{name}.py"
            self._add(path, (PROGRAMS / f"{name}.py").read_bytes(), executable=False)
            return path
        host = self.loaded.folder / name
        path = tree_path(name)
        if self.placed.setdefault(path, host) != host:
            self._problem(where, f"two programs would be at {path}")
            return None
        before = len(self.problems)
        self.folder_of(host, path, name, where)
        return path if len(self.problems) == before else None

    def imported(self, name: str, where: tuple[str | int, ...]) -> str | None:
        """Add the program that a file of another tool stands for, and return its path."""
        from cluster.imports.format import ImportProblems
        from cluster.imports.registry import program_of

        assert self.loaded is not None
        host = self.loaded.folder / name
        path = f"{tree_path(name)}.py"
        if self.placed.setdefault(path, host) != host:
            self._problem(where, f"two programs would be at {path}")
            return None
        if path not in self.files:
            try:
                source = program_of(host)
            except ImportProblems as error:
                self._problem(where, f"{name} cannot be imported")
                self.problems.extend(error.problems)
                return None
            self._add(path, source.encode(), executable=False)
        return path

    def preset(self, text: str, where: tuple[str | int, ...]) -> str | None:
        """Add the program that a benchmark as people type it stands for, and return its path."""
        from cluster.presets.options import OptionProblems
        from cluster.presets.registry import preset_of, program_name

        try:
            source = preset_of(text).program
        except OptionProblems as error:
            for what in error.problems:
                self._problem(where, what)
            return None
        number = 1
        path = f"{SHIPPED}/{program_name(text)}.py"
        while self.sources.get(path, source) != source:  # the same tool with other options
            number += 1
            path = f"{SHIPPED}/{program_name(text)}.{number}.py"
        if path not in self.files:
            self._add(path, source.encode(), executable=False)
        return path

    def folder_of(
        self, host: Path, path: str, shown: str, where: tuple[str | int, ...] = ()
    ) -> None:
        """Add the program at ``host`` as ``path``, and the ``.py`` files beside it."""
        if path in self.files:
            return
        try:
            data = _read_program(host)
            beside = sorted(item for item in host.parent.glob("*.py") if item.is_file())
        except OSError as error:
            self._problem(where, f"{shown}: {error.strerror}")
            return
        except ValueError as error:
            self._problem(where, f"{shown}: {error}")
            return
        if len(beside) > MAX_FOLDER_FILES:
            self._problem(where, f"{shown}: its folder has more than {MAX_FOLDER_FILES} .py files")
            return
        if not self._add(path, data, executable=_executable(host)):
            # the compiler says where; exec of it would be a fault of the program
            self.sources[path] = decode(data)
        for item in beside:
            target = posixpath.join(posixpath.dirname(path), item.name)
            if target in self.files or item.stat().st_size > MAX_PROGRAM_BYTES:
                continue
            self._add(target, item.read_bytes(), executable=_executable(item))

    def _add(self, path: str, data: bytes, *, executable: bool) -> bool:
        mode = 0o755 if executable else 0o644
        try:
            self.sources[path] = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.files[path] = FileSpec(mode=mode, content=data)
            return False
        image = ImageSpec(program=path) if data else None  # an empty file is no script
        self.files[path] = FileSpec(mode=mode, content=data, image=image)
        return True

    def _check_params(self, index: int, workload: "Workload", path: str) -> None:
        """Refuse parameters that the program does not have, and values it would refuse."""
        from cluster.config import params

        loaded = self.loaded
        assert loaded is not None
        known = params.parameters(self.sources.get(path, ""))
        if known is None or not loaded.is_sound("workloads", index):
            return
        where: dict[str, tuple[str | int, ...]] = {}
        given: dict[str, str] = {}
        for name, value in workload.params.items():
            where[name], given[name] = ("workloads", index, "params", name), value
        for place, argument in enumerate(workload.args):  # they come after, and win
            name, equals, value = argument.partition("=")
            if not equals:
                what = f"must be NAME=VALUE (got {argument!r})"
                self._problem(("workloads", index, "args", place), what)
                continue
            where[name], given[name] = ("workloads", index, "args", place), value
        for name in [name for name in given if name not in known]:
            what = f"unknown parameter (known: {', '.join(known)})"
            self._problem(where[name], what, of_key="params" in where[name])
            del given[name]
        images = {place for place, file in self.files.items() if file.image is not None}
        images |= self.declared  # also those that are wrong
        seen = images if loaded.is_sound("images") else None
        for name, what in params.problems(known, given, seen).items():
            self._problem(where[name], f"{what} {got(given[name])}")

    def _problem(self, where: tuple[str | int, ...], what: str, *, of_key: bool = False) -> None:
        if self.loaded is None:
            self.problems.append(Problem("", 0, 0, "", what))
        else:
            self.problems.append(self.loaded.problem(where, what, of_key=of_key))


def tree_path(name: str) -> str:
    """Return where a program that a config names by ``name`` appears in the emulated tree."""
    if name.startswith("/"):
        return posixpath.normpath(name)
    parts = ["up" if part == ".." else part for part in posixpath.normpath(name).split("/")]
    return posixpath.join("/srv", *parts)


def image_source(running_ns: int, exit_code: int) -> str:
    """Return the guest program of a declared image: burn CPU time, then end.

    Its pages are mapped and first touched by exec itself, from the image's numbers.
    """
    lines = ["import sys"]
    if running_ns:
        lines += ["from workloads import guest", f"guest.compute({running_ns})"]
    return "\n".join([*lines, f"sys.exit({exit_code})", ""])


def _read_program(path: Path) -> bytes:
    """Return the bytes of a program's file.

    Raises:
        OSError: it is not there, or not readable.
        ValueError: it is no regular file (which may never end), or too long.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a folder says what it is
        raise ValueError("not a regular file")
    with path.open("rb") as file:
        data = file.read(MAX_PROGRAM_BYTES + 1)
    if len(data) > MAX_PROGRAM_BYTES:
        raise ValueError(f"a program has at most {MAX_PROGRAM_BYTES} bytes")
    return data


def _executable(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o111)


def _arrivals(workload: "Workload") -> dict[str, Any]:
    """Return the fields of a SpawnSpec that say when instances start."""
    arrivals = workload.arrivals
    if arrivals is None:
        return {"every_ns": workload.every}
    every_ns = mean_gap_ns(arrivals.rate) if arrivals.rate else arrivals.every
    return {"every_ns": every_ns, "arrivals": arrivals.pattern, "burst": arrivals.size or 1}


def _costs(loaded: "Loaded", problems: list[Problem]) -> Costs:
    """Return the profile the config names, with its own values on top."""
    wanted = loaded.config.costs
    where = ("costs", "profile") if isinstance(_raw_costs(loaded), dict) else ("costs",)
    name = wanted.profile
    if "/" in name or name.endswith((".yaml", ".json")):
        path = loaded.folder / name
    else:
        path = CONFIGS / "costs" / f"{name}.yaml"
        if not path.is_file():
            known = ", ".join(cost_profile_names())
            problems.append(loaded.problem(where, f"no cost profile {name!r} (known: {known})"))
            return Costs()
    try:
        values = shipped_profile(path) if path.parent == CONFIGS / "costs" else load_profile(path)
    except ConfigError as error:
        problems.extend(error.problems)
        return Costs()
    return replace(Costs(), **{**values, **wanted.values})


@lru_cache(16)
def shipped_profile(path: Path) -> dict[str, int]:
    """As ``load_profile``, of a file that is part of smplab: read once, whatever many runs take."""
    return load_profile(path)


def load_profile(path: Path) -> dict[str, int]:
    """Return the values of a cost profile file.

    Raises:
        ConfigError: every problem of the file.
    """
    from cluster.config import CostProfile, load_model

    profile, document = load_model(CostProfile, path)
    problems = []
    for name, entry in profile.costs.items():
        unit = "ps" if name.endswith("_x1000") else "ns"
        if not entry.unit.startswith(unit):
            what = f"must be in {unit} (got {entry.unit!r})"
            problems.append(document.problem(("costs", name, "unit"), what))
    if problems:
        raise ConfigError(problems)
    return {name: entry.value for name, entry in profile.costs.items()}


def _raw_costs(loaded: "Loaded") -> Any:
    return loaded.document.data.get("costs")
