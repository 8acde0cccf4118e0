"""Times of calls, from records of a trace that are made up; and runs that did not end."""

import pytest

from cluster.engine_api import INTERRUPTED, LIMIT, RunResult
from cluster.prediction.emulated import EmulatedError, ended_well, times_of_calls
from cluster.trace import TraceRecord
from kernel.uapi.syscalls import NR_FORK, NR_WAIT4


def record(time_ns: int, event: str, pid: int, number: int) -> TraceRecord:
    return TraceRecord(time_ns, 0, time_ns, 0, event, {"pid": pid, "id": number})


def test_calls_take_from_their_entry_to_their_return() -> None:
    begin_ns, took = times_of_calls(
        [
            record(100, "sys_enter", 5, NR_FORK),
            record(110, "sys_enter", 6, NR_WAIT4),
            record(140, "sys_exit", 5, NR_FORK),
            record(190, "sys_exit", 6, NR_WAIT4),
        ]
    )
    assert (begin_ns, took) == (100, {"fork": [40], "wait": [80]})


def test_the_childs_half_of_a_fork_has_no_time() -> None:
    _, took = times_of_calls(
        [record(100, "sys_enter", 5, NR_FORK), record(120, "sys_exit", 6, NR_FORK)]
    )
    assert took["fork"] == []


def test_a_run_without_calls_begins_at_nought() -> None:
    assert times_of_calls([]) == (0, {"fork": [], "wait": []})


def test_a_run_that_ctrl_c_ended_is_an_interrupt_and_no_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        ended_well(RunResult(INTERRUPTED, "stopped by Ctrl-C"))
    with pytest.raises(EmulatedError, match="ended as limit: too long"):
        ended_well(RunResult(LIMIT, "too long"))
