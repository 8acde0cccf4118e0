"""The native side: what a host can do of a configuration, and its numbers when it does."""

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cluster.calibration.sides import environment, first_with
from cluster.catalogue import PROGRAMS
from cluster.imports.registry import program_of
from cluster.native import python3
from cluster.prediction.numbers import Numbers, latencies
from cluster.prediction.stage import RECORD
from cluster.presets.registry import preset_of, program_name
from kernel.uapi.clock import NSEC_PER_SEC

if TYPE_CHECKING:
    from cluster.config import Loaded
    from cluster.config.models import Workload

STAGE: Final = Path(__file__).with_name("stage.py")
MOST: Final = 64  # programs at once: each of them is an interpreter
_READY_S: Final = 60.0
_LOOK_S: Final = 0.5  # how often to look for one that has ended before it was ready


class HostError(Exception):
    """A program did not end on the host as it should; says how it ended."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program to run natively.

    Attributes:
        words: what follows ``python3``.
        env: what it adds to the environment.
        source: its text, where it is no file of the host's: the first word names it then.
    """

    words: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    source: str | None = None

    def laid_down(self, folder: Path) -> "Program":
        """Return the program with its text in a file of ``folder``."""
        if self.source is None:
            return self
        file = folder / self.words[0]
        file.write_text(self.source, "utf-8")
        return replace(self, words=(str(file), *self.words[1:]), source=None)


def why_not(loaded: "Loaded", cpus: int) -> list[str]:
    """Return what a configuration asks for that this host's kernel cannot be asked for.

    Args:
        loaded: the configuration.
        cpus: of this host that may be used.
    """
    config = loaded.config
    written = loaded.document.data
    found = []
    if config.machine.cpus > cpus:
        found.append(
            f"machine.cpus is {config.machine.cpus}, and here are {cpus}: --cpus runs it on fewer, "
            "on both sides"
        )
    given = written.get("machine") or {}
    found += [
        f"machine.{key}: cannot be given to a host"
        for key in ("topology", "noise", "memory_model")
        if key in given
    ]
    own = ("sched", "vm", "cgroups", "images", "mutations")
    found += [f"{key}: a host has its own" for key in own if written.get(key)]
    if config.kernel.services or config.kernel.kthreads:
        found.append("kernel: threads of an emulated kernel cannot be had on a host")
    if config.linux != "6.12":
        found.append(f"linux: {config.linux}: a host has the kernel it has")
    if config.granularity != "syscall":
        found.append("granularity: step: a host's steps cannot be chosen")
    for index, workload in enumerate(config.workloads):
        if workload.arrivals or workload.start or workload.every:
            found.append(
                f"workloads.{index}: a program that starts later would bring the start of its "
                "interpreter along"
            )
        if workload.stdin is not None:
            found.append(f"workloads.{index}.stdin: is not given to native programs here")
    if sum(workload.instances for workload in config.workloads) > MOST:
        found.append(f"workloads: more than {MOST} programs at once")
    return found


def programs_of(loaded: "Loaded") -> list[Program]:
    """Return the programs of a configuration as they run natively, one for each instance."""
    found: list[Program] = []
    for workload in loaded.config.workloads:
        file, source = _file_of(loaded, workload, len(found))
        params = (f"{name}={value}" for name, value in workload.params.items())
        words = (file, *params, *workload.args)
        found += [Program(words, tuple(workload.env.items()), source)] * workload.instances
    return found


def _file_of(loaded: "Loaded", workload: "Workload", number: int) -> tuple[str, str | None]:
    """Return the file of a workload's program; where it has none, a name for one, and its text."""
    if workload.preset is not None:
        return f"{program_name(workload.preset)}.{number}.py", preset_of(workload.preset).program
    if workload.imported is not None:
        return f"import.{number}.py", program_of(loaded.folder / workload.imported)
    named = workload.program
    assert named is not None, "a workload has a program, a file or a preset"
    shipped = "/" not in named and not named.endswith(".py")
    file = PROGRAMS / f"{named}.py" if shipped else loaded.folder / named
    return str(file.resolve()), None


def native_numbers(
    programs: Sequence[Program], cpus: Sequence[int], *, timed: bool, timeout_s: float
) -> Numbers:
    """Run programs together on the host, once, and return their numbers.

    Args:
        programs: what to run.
        cpus: of this host, which they may use.
        timed: note how long calls take, for the latencies; else there are all the other numbers.
        timeout_s: after which all is ended.

    Raises:
        HostError: one of them did not end with 0, or not in time.
    """
    with tempfile.TemporaryDirectory(prefix="smplab-predict-") as folder:
        notes = Path(folder) / "notes"
        notes.touch()
        programs = [program.laid_down(Path(folder)) for program in programs]
        begin_ns = _run(programs, cpus, notes, timed, timeout_s)
        return numbers_of(notes.read_bytes(), begin_ns, timed=timed)


def numbers_of(notes: bytes, begin_ns: int, *, timed: bool) -> Numbers:
    """Return the numbers that the notes of a run make, which began at ``begin_ns``.

    Raises:
        HostError: no program noted its end.
    """
    found: dict[bytes, list[int]] = {kind: [] for kind in (b"F", b"W", b"E", b"C", b"S")}
    for kind, number in RECORD.iter_unpack(notes[: len(notes) // RECORD.size * RECORD.size]):
        found[kind].append(number)
    if not found[b"E"]:
        raise HostError("no program noted that it ended")
    makespan = max(found[b"E"]) - begin_ns
    if timed:
        made = {"made": float(len(found[b"F"]))}
        return {**made, **latencies("fork", found[b"F"]), **latencies("wait", found[b"W"])}
    return {
        "makespan": float(makespan),
        "cpu_time": float(sum(found[b"C"])),
        "switches": float(sum(found[b"S"])),
    }


def with_throughput(numbers: Numbers, made: float) -> Numbers:
    """Return ``numbers`` and the rate at which ``made`` processes came and went."""
    return {"throughput": made * NSEC_PER_SEC / numbers["makespan"], **numbers}


def _run(
    programs: Sequence[Program],
    cpus: Sequence[int],
    notes: Path,
    timed: bool,
    timeout_s: float,
) -> int:
    """Start all, open the gate when they are ready, wait for all; return when it was opened."""
    gate, opener = os.pipe()
    ready, say = os.pipe()
    running: list[subprocess.Popen[bytes]] = []
    errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed below)
    try:
        for program in programs:
            words = (str(gate), str(say), str(notes), str(int(timed)), *program.words)
            running.append(
                subprocess.Popen(
                    (python3(), "-u", str(STAGE), *words),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    env={**environment(), **dict(program.env)},
                    start_new_session=True,
                    preexec_fn=first_with(cpus),
                    pass_fds=(gate, say),
                )
            )
        _await_ready(ready, running)
        begin_ns = time.monotonic_ns()
        os.write(opener, b"g" * len(running))
        end = time.monotonic() + timeout_s
        for each in running:
            try:
                status = each.wait(max(end - time.monotonic(), 0.001))
            except subprocess.TimeoutExpired:
                raise HostError(f"not at its end after {timeout_s:g} s on the host") from None
            if status:
                errors.seek(0)
                last = errors.read(1 << 20).decode(errors="replace").strip().rpartition("\n")[2]
                raise HostError(f"a program ended with {status} on the host: {last}")
        return begin_ns
    finally:
        for file in (gate, opener, ready, say):
            os.close(file)
        errors.close()
        for each in running:
            if each.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(each.pid, signal.SIGKILL)
                each.wait()


def _await_ready(ready: int, running: Sequence[subprocess.Popen[bytes]]) -> None:
    """Return when all have said that they are ready, or one of them has ended.

    Raises:
        HostError: they are not ready in a minute.
    """
    until = time.monotonic() + _READY_S
    missing = len(running)
    while missing and all(each.poll() is None for each in running):
        if time.monotonic() > until:
            raise HostError(f"a program was not ready after {_READY_S:g} s")
        if select.select([ready], [], [], _LOOK_S)[0]:
            missing -= len(os.read(ready, missing))
