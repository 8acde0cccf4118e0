"""The emulated side: a run's numbers, from its trace and its summary."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cluster.engine import run_machine
from cluster.engine_api import DONE, INTERRUPTED
from cluster.prediction.numbers import Numbers, latencies
from cluster.request import request_of
from cluster.rundir import RunDir
from cluster.trace import TraceReader, TraceRecord
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.syscalls import TABLE

if TYPE_CHECKING:
    from cluster.config import Loaded
    from cluster.engine_api import RunResult
    from kernel.machine import MachineSpec

_CALLS: Final = {
    **dict.fromkeys(("fork", "vfork", "clone", "clone3", "posix_spawn"), "fork"),
    **dict.fromkeys(("wait4", "waitid"), "wait"),
}


class EmulatedError(Exception):
    """The run did not come to its end; says how it ended."""


def emulated_numbers(loaded: "Loaded", spec: "MachineSpec") -> Numbers:
    """Run a configuration, whose trace has system calls, and return its numbers.

    Raises:
        EmulatedError: it did not come to its end.
    """
    request = request_of(loaded, spec)
    request.checkpoint = None
    with tempfile.TemporaryDirectory(prefix="smplab-predict-") as folder:
        directory = RunDir.create(Path(folder), "run")
        request.out_dir = directory.path
        result = ended_well(run_machine(request))
        with TraceReader(directory.trace_path) as reader:
            begin_ns, took = times_of_calls(reader.select())
    summary = result.summary
    makespan = summary["run"]["virtual_ns"] - begin_ns
    times = summary["cpu_time_ns"]
    forks = summary["lifecycles"]["forks"] + summary["lifecycles"]["vforks"]
    made = forks - len(result.statuses)
    return {
        "throughput": made * NSEC_PER_SEC / makespan if makespan > 0 else 0.0,
        "makespan": float(makespan),
        "cpu_time": float(times["user"] + times["system"]),
        "switches": float(summary["switches"]["total"]),
        **latencies("fork", took["fork"]),
        **latencies("wait", took["wait"]),
    }


def ended_well(result: "RunResult") -> "RunResult":
    """Return ``result``.

    Raises:
        EmulatedError: the run did not come to its end, or a program ended with something else than
            0.
        KeyboardInterrupt: Ctrl-C ended it.
    """
    if result.exit_kind == INTERRUPTED:
        raise KeyboardInterrupt
    if result.exit_kind != DONE or any(status for _, _, status in result.statuses):
        why = result.message or "a program did not end with 0"
        raise EmulatedError(f"the emulated run ended as {result.exit_kind}: {why}")
    return result


def times_of_calls(records: Iterable[TraceRecord]) -> tuple[int, dict[str, list[int]]]:
    """Return when the first call was made, and how long calls of each kind took.

    A call that never returns, as that of a process that was killed in it, has no time; neither has
    the child's half of a fork, which made no call.
    """
    begin_ns = -1
    entered: dict[int, tuple[int, int]] = {}
    took: dict[str, list[int]] = {"fork": [], "wait": []}
    for record in records:
        if record.event == "sys_enter":
            if begin_ns < 0:
                begin_ns = record.time_ns
            entered[record.fields["pid"]] = record.fields["id"], record.time_ns
        elif record.event == "sys_exit":
            number, since_ns = entered.pop(record.fields["pid"], (-1, 0))
            if number != record.fields["id"] or number not in TABLE:
                continue
            kind = _CALLS.get(TABLE[number][0])
            if kind is not None:
                took[kind].append(record.time_ns - since_ns)
    return max(begin_ns, 0), took
