"""The probe on the host and on the emulated machine: the same numbers of both.

On the host times are CPU time, so that a busy host costs a probe its caches and not its turns; only
what two CPUs wait for each other is time that went by. On the emulated machine, where nobody else
is, all that goes by on one CPU is busy: so what its processes used together is its clock; where
they run at once, on two CPUs, it is what the run took less a run in which nothing is done.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import workloads
from cluster.build import guest_spec
from cluster.calibration.steps import PROBES, Numbers
from cluster.engine import run_machine
from cluster.engine_api import DONE
from cluster.native import python3
from cluster.native_start import settle
from cluster.request import request_of_machine
from kernel.costs import Costs

PROGRAM: Final = Path(__file__).with_name("probe.py")
BLOCKS: Final = 3  # of a process, and one before them that is not counted
_TIMEOUT_S: Final = 120.0
_FIELDS: Final = 4


class ProbeError(Exception):
    """The probe could not be run here; says why."""


def usable_cpus() -> list[int]:
    """Return the CPUs of this host that this process may use."""
    return sorted(os.sched_getaffinity(0))


def first_with(cpus: Sequence[int]) -> Callable[[], None]:
    """Return what the first process of a measurement does: fixed surroundings, and precedence.

    It is put above all others as far as this process may do that: a priority for all it starts
    does not change what they are to each other.
    """
    plain = settle(None)

    def child() -> None:
        plain()
        os.sched_setaffinity(0, cpus)
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, -20)
        with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as file:
            file.write("-20")

    return child


def environment() -> dict[str, str]:
    """Return what native programs of a measurement find: smplab's guest library, nothing else."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(Path(workloads.__file__).resolve().parents[1]),
        "PYTHONHASHSEED": "0",
    }


def native_numbers(kind: str) -> Numbers:
    """Run a kind of the probe once on the host; return what one time took: medians of its blocks.

    Raises:
        ProbeError: it did not end well.
    """
    probe = PROBES[kind]
    cpus = usable_cpus()[-probe.cpus :]
    words = (kind, str(probe.times), str(BLOCKS + 1))
    command = [python3(), "-u", str(PROGRAM), *words]
    out, _ = run_first(command, cpus, _TIMEOUT_S, f"the probe {kind}")
    found = []
    for own, inner, children, wall in blocks_of(out)[1:]:
        each = (own, inner, own + children, wall)
        found.append(Numbers(*(number / probe.times for number in each)))
    return Numbers(*(median(column) for column in zip(*found, strict=True)))


def run_first(
    command: Sequence[str], cpus: Sequence[int], timeout_s: float, named: str
) -> tuple[bytes, bytes]:
    """Run a command in the surroundings of a measurement; return standard output and error.

    Args:
        command: what to run.
        cpus: of this host, which it may use.
        timeout_s: after which it is ended, with all that it has started.
        named: what it is called in messages.

    Raises:
        ProbeError: it did not end with 0, or not in time.
    """
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
        preexec_fn=first_with(cpus),
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise ProbeError(f"{named} did not end in {timeout_s:g} s") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        last = (err.strip() or out.strip()).decode(errors="replace").rpartition("\n")[2].strip()
        raise ProbeError(f"{named} ended with {process.returncode}: {last}")
    return out, err


def blocks_of(out: bytes) -> list[tuple[int, int, int, int]]:
    """Return the numbers of each block that a probe has printed.

    Raises:
        ProbeError: they are not numbers.
    """
    try:
        lines = [tuple(map(int, line.split())) for line in out.decode("ascii").splitlines()]
        return [(own, inner, children, wall) for own, inner, children, wall in lines]
    except ValueError:
        raise ProbeError(f"the probe said {out[:80]!r}") from None


def emulated_numbers(kind: str, costs: Costs) -> Numbers:
    """Run a kind of the probe emulated, with ``costs``; return what one time took.

    Raises:
        ProbeError: the run did not come to its end.
    """
    probe = PROBES[kind]
    found, all_ns = _emulated(kind, probe.emulated, costs)
    own, inner, _, wall = found
    busy = all_ns - _emulated(kind, 0, costs)[1] if probe.at_once else wall
    return Numbers(*(number / probe.emulated for number in (own, inner, busy, wall)))


def _emulated(kind: str, times: int, costs: Costs) -> tuple[tuple[int, int, int, int], int]:
    """Return what the probe prints, and the CPU time that the whole run took."""
    probe = PROBES[kind]
    words = [kind, str(times), "1"]
    spec = guest_spec(PROGRAM, words, cpus=probe.cpus, trace=False, costs=costs)
    result = run_machine(request_of_machine(spec))
    out = result.outputs.get(f"{PROGRAM.name}.stdout", b"")
    found = blocks_of(out)
    if result.exit_kind != DONE or len(found) != 1:
        raise ProbeError(f"the emulated probe {kind} ended as {result.exit_kind} {result.message}")
    used = result.summary["cpu_time_ns"]
    return found[0], used["user"] + used["system"]


def without_clocks(numbers: dict[str, Numbers]) -> dict[str, Numbers]:
    """Return the numbers of all probes less what the clock readings in them took."""
    clock = numbers["clock"]
    # a pair of readings: all of it, and what of it falls between the two
    pair = Numbers(clock.own, clock.inner, clock.own, clock.own)
    return {kind: each.less(pair) if PROBES[kind].timed else each for kind, each in numbers.items()}
