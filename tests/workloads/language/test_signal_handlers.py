"""What a context does with signals between two resumes, without a kernel."""

from typing import Any

import msgpack

from kernel.uapi import syscalls as nr
from kernel.uapi.signals import OP_EINTR, OP_FAULTED, OP_NOT_BEGUN, SIG_HANDLER
from workloads.language.loader import Loader
from workloads.language.packing import pack_contexts

SOURCE = """\
import os
import signal
import time
seen = []
def note(number, frame):
    seen.append(number)
    os.getppid()
def main():
    signal.signal(signal.SIGUSR1, note)
    signal.signal(signal.SIGHUP, note)
    time.sleep(1)
    print(seen)
main()
"""


def waiting_context() -> tuple[Any, Any]:
    context = Loader({"p": SOURCE}).start("p", ("/t/p.py",), (), 64)
    assert context.resume(None, None) == (nr.NR_RT_SIGACTION, 10, SIG_HANDLER)
    assert context.resume(0, None) == (nr.NR_RT_SIGACTION, 1, SIG_HANDLER)
    op = context.resume(0, None)
    assert op == (nr.NR_NANOSLEEP, 1_000_000_000)
    return context, op


def test_handlers_run_lowest_first_then_the_call_goes_on_to_its_first_end() -> None:
    context, op = waiting_context()
    context.trip((10, 1))
    context.interrupt(op, OP_EINTR, 77)
    assert context.resume(None, None) == (nr.NR_GETPPID,)
    assert context.resume(5, None) == (nr.NR_GETPPID,)
    assert context.resume(5, None) == (nr.NR_NANOSLEEP, 1_000_000_000, 77)
    assert context.resume(None, None) == (nr.NR_WRITE, 1, b"[1, 10]")


def test_a_call_not_begun_begins_afresh_and_a_fault_asks_no_handler() -> None:
    context, op = waiting_context()
    context.trip((10,))
    context.interrupt(op, OP_FAULTED, 0)
    assert context.resume(None, None) == op
    context.interrupt(op, OP_NOT_BEGUN, 0)
    assert context.resume(None, None) == (nr.NR_GETPPID,)
    assert context.resume(5, None) == op


def test_interruptions_without_end_do_not_pile_up_frames() -> None:
    context, op = waiting_context()
    depth = len(context.frames)
    for _ in range(100):
        context.interrupt(op, OP_EINTR, 77)
        op = context.resume(None, None)
    assert len(context.frames) == depth + 1


def test_a_result_comes_with_the_handler_before_it_is_used() -> None:
    context, _op = waiting_context()
    context.trip((10,))
    assert context.resume(None, None) == (nr.NR_GETPPID,)
    assert context.resume(5, None) == (nr.NR_WRITE, 1, b"[10]")
    context.trip((1,))  # between the pieces of one print
    assert context.resume(4, None) == (nr.NR_WRITE, 1, b"\n")
    assert context.resume(1, None) == (nr.NR_GETPPID,)


def test_a_forked_child_has_the_handlers_and_none_of_the_signals() -> None:
    context, _op = waiting_context()
    context.trip((10,))
    child = context.fork()
    assert child.resume(None, None) == (nr.NR_WRITE, 1, b"[]")
    child.trip((1,))
    assert child.resume(2, None) == (nr.NR_WRITE, 1, b"\n")
    assert child.resume(1, None) == (nr.NR_GETPPID,)
    assert context.globals[0].tripped == 1 << 9


def test_signals_noted_and_frames_of_handlers_travel() -> None:
    context, op = waiting_context()
    context.trip((10, 1))
    context.interrupt(op, OP_EINTR, 77)
    context.resume(None, None)
    data = msgpack.unpackb(msgpack.packb(pack_contexts([context])), use_list=False)
    loader = Loader({"p": SOURCE})
    copy = loader.unpack(data)
    for each in (context, copy):
        assert each.resume(5, None) == (nr.NR_GETPPID,)
        assert each.resume(5, None) == (nr.NR_NANOSLEEP, 1_000_000_000, 77)
        assert each.resume(None, None) == (nr.NR_WRITE, 1, b"[1, 10]")
