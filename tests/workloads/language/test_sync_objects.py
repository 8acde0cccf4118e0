"""Synchronisation objects of threading: what a copy and the wire form keep of them."""

from typing import Any

import msgpack

from kernel.uapi import syscalls as nr
from workloads.language.loader import Loader
from workloads.language.packing import pack_contexts

SOURCE = """\
import threading
import time
condition = threading.Condition()
same = [condition]
rlock = threading.RLock()
semaphore = threading.Semaphore(2)
barrier = threading.Barrier(1)
rlock.acquire()
semaphore.acquire()
with condition:
    time.sleep(1)
    print(same[0] is condition, condition.wait(0.5))
rlock.release()
print(semaphore.acquire(False), semaphore.acquire(False), barrier.wait(), barrier.parties)
try:
    rlock.release()
except RuntimeError as error:
    print(error)
"""


class Locks:
    """Locks of one address space whose sleepers time out at once."""

    def __init__(self, taken: frozenset[int] = frozenset()) -> None:
        self.taken = taken
        self.text = b""

    def answer(self, op: Any) -> Any:
        if op[0] == nr.NR_LOCK_ACQUIRE:
            free = op[1] not in self.taken
            self.taken |= {op[1]}
            return free
        if op[0] == nr.NR_LOCK_RELEASE:
            assert op[1] in self.taken
            self.taken -= {op[1]}
        elif op[0] == nr.NR_LOCK_FREE:
            self.taken -= {op[1]}
        elif op[0] == nr.NR_WRITE:
            self.text += op[2]
            return len(op[2])
        return None


def run(context: Any, locks: Locks, value: Any = None, *, until: int = nr.NR_EXIT_GROUP) -> None:
    while True:
        op = context.resume(value, None)
        if op[0] == until:
            return
        value = locks.answer(op)


def test_copy_and_wire_form_go_on_alike_from_inside_a_with() -> None:
    loader = Loader({"p": SOURCE})
    context = loader.start("p", ("/t/p.py",), (), 64)
    locks = Locks()
    run(context, locks, until=nr.NR_NANOSLEEP)
    fork = context.fork()
    wire = msgpack.packb(pack_contexts([context]))
    other = Loader({"p": SOURCE}).unpack(msgpack.unpackb(wire, strict_map_key=False))
    texts = []
    for copy in (context, fork, other):
        own = Locks(locks.taken)
        run(copy, own)
        assert not own.taken - locks.taken
        texts.append(own.text.decode())
    assert texts[0].splitlines() == [
        "True False",
        "True False 0 1",
        "cannot release un-acquired lock",
    ]
    assert texts[1:] == texts[:1] * 2


def test_functions_of_the_library_survive_the_wire_in_the_middle_of_a_wait() -> None:
    context = Loader({"p": SOURCE}).start("p", ("/t/p.py",), (), 64)
    locks = Locks()
    run(context, locks, until=nr.NR_NANOSLEEP)
    op = context.resume(None, None)
    while op[0] != nr.NR_LOCK_ACQUIRE or op[3] < 0:  # until the wait itself
        op = context.resume(locks.answer(op), None)
    wire = msgpack.packb(pack_contexts([context]))
    other = Loader({"p": SOURCE}).unpack(msgpack.unpackb(wire, strict_map_key=False))
    run(other, locks, False)
    assert locks.text.startswith(b"True False\n")
