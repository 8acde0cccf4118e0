"""What a context promises the kernel: ops, copies, sharing, preemption, plain data."""

from typing import Any

import msgpack
import pytest

from kernel.uapi import syscalls as nr
from kernel.uapi.failure import failed
from kernel.uapi.start import START_UNBUFFERED
from workloads.language.loader import Loader
from workloads.language.packing import pack_contexts


def start(source: str, *args: str) -> Any:
    return Loader({"p": source}).start("p", ("/t/p.py", *args), (("A", "1"),), START_UNBUFFERED)


def finish(context: Any, value: Any = None) -> str:
    """Run to exit, answering getpid only; return what it wrote."""
    text = b""
    while True:
        op = context.resume(value, None)
        value = None
        if op[0] == nr.NR_WRITE:
            text += op[2]
            value = len(op[2])
        elif op[0] == nr.NR_EXIT_GROUP:
            return text.decode()
        else:
            assert op[0] == nr.NR_PREEMPT_POINT


HEAP = """\
import os
xs = [1]
both = {"a": xs, "b": xs}
def main(local):
    other = local
    pid = os.fork()
    local.append(pid)
    both["a"].append(pid)
    print(other, xs, both)
main([0])
"""


def test_fork_copies_the_heap_and_keeps_aliases() -> None:
    parent = start(HEAP)
    assert parent.resume(None, None) == (nr.NR_FORK,)
    child = parent.fork()
    assert finish(child, 0) == "[0, 0] [1, 0] {'a': [1, 0], 'b': [1, 0]}\n"
    assert finish(parent, 9) == "[0, 9] [1, 9] {'a': [1, 9], 'b': [1, 9]}\n"


def test_vfork_child_runs_on_its_parents_locals_and_globals() -> None:
    parent = start(HEAP)
    parent.resume(None, None)
    child = parent.share()
    assert finish(child, 0) == "[0, 0] [1, 0] {'a': [1, 0], 'b': [1, 0]}\n"
    assert finish(parent, 9) == "[0, 0, 9] [1, 0, 9] {'a': [1, 0, 9], 'b': [1, 0, 9]}\n"


def test_packed_context_is_plain_data_with_aliases() -> None:
    parent = start(HEAP)
    parent.resume(None, None)
    data = msgpack.unpackb(msgpack.packb(parent.pack()))
    copy = Loader({"p": HEAP}).unpack(data)
    assert finish(copy, 3) == "[0, 3] [1, 3] {'a': [1, 3], 'b': [1, 3]}\n"


def test_contexts_packed_together_still_share_memory() -> None:
    parent = start(HEAP)
    parent.resume(None, None)
    data = msgpack.unpackb(msgpack.packb(pack_contexts([parent, parent.share()])))
    parent, child = Loader({"p": HEAP}).unpack_group(data)
    finish(child, 0)
    assert finish(parent, 9).startswith("[0, 0, 9]")


@pytest.mark.parametrize(
    "body",
    ["while True:\n    pass", "for i in range(10**12):\n    n = i", "def f(n):\n    if n:\n"
     "        f(n - 1)\n        f(n - 1)\nf(60)"],
)  # fmt: skip
def test_code_without_system_calls_can_be_preempted(body: str) -> None:
    context = start(body + "\n")
    for _ in range(20):
        assert context.resume(None, None) == (nr.NR_PREEMPT_POINT,)
        assert context.steps >= 200


def test_steps_count_the_turns_of_native_loops() -> None:
    context = start("import os\nn = 0\nfor i in range(50):\n    n += i\nos.getpid()\n")
    assert context.resume(None, None) == (nr.NR_GETPID,)
    assert 50 <= context.steps <= 60


def test_error_answers_are_raised_at_the_call_as_cpython_spells_them() -> None:
    source = "import os\ntry:\n    os.open('/x', os.O_RDONLY)\nexcept OSError as e:\n    print(e)\n"
    for number, text in ((2, "[Errno 2] No such file or directory: '/x'\n"),
                         (13, "[Errno 13] Permission denied: '/x'\n")):  # fmt: skip
        context = start(source)
        assert context.resume(None, None) == (nr.NR_OPEN, "/x", 0o2000000, 0o777)
        op = context.resume(None, failed(number, "/x"))
        assert op == (nr.NR_WRITE, 1, text[:-1].encode())


def test_forked_child_of_a_thread_has_only_that_thread() -> None:
    context = start(
        "import os\nimport threading\ndef work(xs):\n    os.fork()\n    xs.append(1)\n"
        "t = threading.Thread(target=work, args=([],))\nt.start()\nt.join()\n"
    )
    op = context.resume(None, None)
    assert op[0] == nr.NR_THREAD_START
    started, alive = op[4]
    thread = context.thread(op[2])
    assert context.resume(77, None) == (nr.NR_LOCK_ACQUIRE, started, True, -1)
    assert thread.resume(None, None) == (nr.NR_LOCK_RELEASE, started)
    assert thread.resume(None, None) == (nr.NR_FORK,)
    child = thread.fork()
    assert child.resume(0, None) == (nr.NR_LOCK_RELEASE, alive)
    assert child.resume(None, None) == (nr.NR_EXIT, 0)
    assert thread.resume(5, None) == (nr.NR_LOCK_RELEASE, alive)
    assert context.resume(True, None) == (nr.NR_LOCK_FREE, started)
    assert context.resume(None, None) == (nr.NR_LOCK_ACQUIRE, alive, True, -1)


def test_new_thread_runs_up_to_its_first_call_before_its_start_is_told() -> None:
    context = start(
        "import os\nimport threading\nxs = []\ndef work():\n    xs.append(1)\n    os.getpid()\n"
        "t = threading.Thread(target=work)\nt.start()\nos.write(1, b'%d' % len(xs))\n"
    )
    op = context.resume(None, None)
    thread = context.thread(op[2])
    assert context.resume(77, None)[0] == nr.NR_LOCK_ACQUIRE
    assert thread.resume(None, None) == (nr.NR_LOCK_RELEASE, op[4][0])
    assert context.resume(True, None)[0] == nr.NR_LOCK_FREE
    assert context.resume(None, None) == (nr.NR_WRITE, 1, b"1")


HANDLES = """\
import os
import select
import socket
a, b = socket.socketpair()
again = a
poll = select.poll()
poll.register(b, 5)
poll.register(a, 1)
os.getpid()
a.close()
print(a.fileno(), again.fileno(), b.fileno())
for fd, mask in poll.poll(0):
    print(fd, mask)
"""


def test_sockets_and_poll_objects_are_plain_data_with_aliases() -> None:
    parent = start(HANDLES)
    assert parent.resume(None, None)[0] == nr.NR_SOCKETPAIR
    assert parent.resume((8, 9), None) == (nr.NR_GETPID,)
    packed = msgpack.unpackb(msgpack.packb(parent.pack()))
    for copy in (parent.fork(), Loader({"p": HANDLES}).unpack(packed), parent):
        assert copy.resume(4, None) == (nr.NR_CLOSE, 8)
        op = copy.resume(None, None)
        text = b""
        while op[0] == nr.NR_WRITE:
            text += op[2]
            op = copy.resume(len(op[2]), None)
        assert text == b"-1 -1 9\n"
        assert op == (nr.NR_POLL, ((9, 5), (8, 1)), 0)
        assert finish(copy, (1, 0)) == "9 1\n"


STARTED = """\
import signal
import sys
import threading
def handler(number, frame): pass
signal.signal(signal.SIGUSR1, handler)
print(__file__, len(sys.argv), signal.getsignal(signal.SIGUSR2))
"""


def test_processes_started_alike_begin_alike_whatever_the_first_did() -> None:
    loader = Loader({"p": STARTED})
    texts = []
    for path in ("/t/p.py", "/t/p.py", "/u/p.py", "/t/p.py"):
        context = loader.start("p", (path,), (("A", "1"),), START_UNBUFFERED)
        texts.append(finish_with_signals(context))
        assert context.globals[0].handlers
    assert texts == [f"{path} 1 0\n" for path in ("/t/p.py", "/t/p.py", "/u/p.py", "/t/p.py")]


def test_programs_started_by_a_relative_path_each_ask_where_they_are() -> None:
    loader = Loader({"p": "print(__file__)\n"})
    for folder in ("/one", "/two"):
        context = loader.start("p", ("p.py",), (), START_UNBUFFERED)
        op = context.resume(None, None)
        assert op[0] == nr.NR_GETCWD
        assert finish(context, folder) == f"{folder}/p.py\n"


def finish_with_signals(context: Any) -> str:
    text = b""
    op = context.resume(None, None)
    while op[0] != nr.NR_EXIT_GROUP:
        value: Any = 0
        if op[0] == nr.NR_WRITE:
            text += op[2]
            value = len(op[2])
        op = context.resume(value, None)
    return text.decode()
