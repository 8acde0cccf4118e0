"""Memory models: LOAD, STORE and BARRIER are theirs, and what they hold back is a choice too."""

from types import SimpleNamespace

import pytest

from kernel.costs import Costs
from kernel.drive.chooser import InOrder, Recording, Replaying
from kernel.drive.interleave import StepDriver
from kernel.drive.memory import LATER, Drain, SequentialConsistency, make_memory_model
from kernel.messages import NEVER
from kernel.points import ACQUIRE, BARRIER, LOAD, RELEASE, STORE


class StoreBuffers:
    """A toy: each CPU's stores wait in a queue of its own, as on x86."""

    buffers = True

    def __init__(self):
        self.waiting = {}

    def load(self, cpu, obj, field):
        for drain in reversed(self.waiting.get(cpu, ())):
            if drain.op[2][0] is obj and drain.op[2][1] == field:
                return drain.op[2][2]
        return getattr(obj, field)

    def store(self, cpu, obj, field, value):
        drain = Drain(cpu, obj, field, value)
        self.waiting.setdefault(cpu, []).append(drain)
        return drain

    def barrier(self, cpu, kind):
        while self.waiting.get(cpu):
            self.drain(self.waiting[cpu][0])

    def drains(self):
        return [self.waiting[cpu][0] for cpu in sorted(self.waiting) if self.waiting[cpu]]

    def drain(self, entry):
        self.waiting[entry.cpu].remove(entry)
        obj, field, value = entry.op[2]
        setattr(obj, field, value)


class Kernel(SimpleNamespace):
    """As much of a KernelState as the driver wants; a request is ``(time, cpu, path)``."""

    def __init__(self, paths, seed, model, mutations=()):
        spec = SimpleNamespace(
            mutations=mutations, check=True, tie_break="random", seed=seed, memory_model="sc"
        )
        super().__init__(
            spec=spec,
            active=[],
            requests=[(0, cpu, path) for cpu, path in enumerate(paths)],
            timers=SimpleNamespace(heap=[]),
            balance_ns=NEVER,
            costs=Costs(),
            stats=SimpleNamespace(steps=0),
            after_step=None,
            story=None,
        )
        self.driver = StepDriver(self)
        self.driver.memory = model()

    def open(self, request):
        self.now_ns, self.cpu, path = request
        self.current = SimpleNamespace(state=0)
        return path

    def run(self):
        self.driver.run(NEVER - 1)
        assert not self.active and self.driver.next_ns() == NEVER
        return self


def litmus(points, seeds=200, model=StoreBuffers, mutations=()):
    """Return all outcomes of two paths that each store and then look at the other's."""
    found = set()
    for seed in range(seeds):
        cells = [SimpleNamespace(v=0), SimpleNamespace(v=0)]
        seen = [None, None]

        def path(cpu, cells=cells, seen=seen):
            yield "store", STORE, (cells[cpu], "v", 1)
            yield from points(cells)
            seen[cpu] = yield "load", LOAD, (cells[1 - cpu], "v")

        Kernel([path(0), path(1)], seed, model, mutations).run()
        assert [cell.v for cell in cells] == [1, 1]
        found.add(tuple(seen))
    return found


def nothing(cells):
    yield from ()


def smp_mb(cells):
    yield "smp_mb", BARRIER, None


ORDERED = {(0, 1), (1, 0), (1, 1)}


def test_every_store_is_seen_at_once_under_sequential_consistency():
    assert litmus(nothing, model=SequentialConsistency) == ORDERED


def test_a_store_that_a_model_holds_back_becomes_visible_when_it_is_chosen():
    assert litmus(nothing) == {(0, 0), *ORDERED}


def test_a_barrier_lets_no_store_wait_and_dropping_it_does():
    assert litmus(smp_mb) == ORDERED
    assert litmus(smp_mb, mutations=("smp_mb",)) == {(0, 0), *ORDERED}


def test_a_lock_orders_memory_too():
    lock = SimpleNamespace(
        owner=None, readers=0, waiters=None, name="a", since_ns=0, stat=SimpleNamespace()
    )
    lock.stat.acquisitions = lock.stat.contended = lock.stat.hold_ns = 0
    lock.stat.wait_ns = lock.stat.wait_max_ns = 0

    def locked(cells):
        yield "lock", ACQUIRE, lock
        yield "unlock", RELEASE, lock

    assert litmus(locked) == ORDERED


def test_a_cpu_reads_its_own_store_before_others_do():
    cell = SimpleNamespace(v=0)
    seen = []

    def path():
        yield "store", STORE, (cell, "v", 5)
        seen.append((yield "load", LOAD, (cell, "v")))
        seen.append(cell.v)

    kernel = Kernel([path()], 1, StoreBuffers)
    kernel.driver.chooser = InOrder()
    kernel.driver.chooser.choose = lambda enabled: max(
        range(len(enabled)), key=lambda place: enabled[place].task is not None
    )
    kernel.run()
    assert (seen, cell.v) == ([5, 0], 5)


def test_when_a_store_becomes_visible_is_in_the_schedule():
    def run(chooser, seed):
        cells = [SimpleNamespace(v=0), SimpleNamespace(v=0)]
        order = []

        def path(cpu):
            yield "store", STORE, (cells[cpu], "v", 1)
            order.append((cpu, (yield "load", LOAD, (cells[1 - cpu], "v"))))

        kernel = Kernel([path(0), path(1)], seed, StoreBuffers)
        kernel.driver.chooser = chooser(kernel.driver.chooser)
        return kernel.run().driver.chooser, order

    for seed in range(20):
        recording, order = run(Recording, seed)
        replaying, again = run(lambda _, given=recording.answers: Replaying(given), 0)
        replaying.finish()
        assert again == order


@pytest.mark.parametrize("name", [*LATER, "x86"])
def test_a_model_that_is_not_there_is_refused(name):
    with pytest.raises(ValueError, match=r"\(there is: sc\)"):
        make_memory_model(name)
