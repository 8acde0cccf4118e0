"""Memory models: LOAD, STORE and BARRIER are theirs, and what they hold back is a choice too."""

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster.build import guest_spec
from cluster.engine_api import RunRequest
from cluster.local_engine import run_local
from kernel.costs import Costs
from kernel.drive import memory
from kernel.drive.chooser import InOrder, Recording, Replaying
from kernel.drive.interleave import StepDriver
from kernel.drive.memory import (
    ALL,
    AXIOMS,
    NOTHING,
    PART,
    Cell,
    Drain,
    SequentialConsistency,
    make_memory_model,
    memory_model_names,
    register_memory_model,
)
from kernel.locking import Lock, LockStat
from kernel.messages import NEVER
from kernel.points import (
    ACQUIRE,
    BARRIER,
    LOAD,
    READ_BARRIER,
    RELEASE,
    STORE,
    UPDATE,
    WRITE_BARRIER,
)
from tests.soak import one_in


class StoreBuffers:
    """A toy: each CPU's stores wait in a queue of its own, as on x86."""

    buffers = True

    def __init__(self):
        self.waiting = {}

    def load(self, cpu, obj, field, kind):
        waiting = self.waiting.get(cpu, [])
        for place in reversed(range(len(waiting))):
            reach = waiting[place].reach(obj, field)
            if reach == ALL:
                return waiting[place].value_in(obj)
            if reach == PART:
                for entry in waiting[: place + 1]:
                    self.drain(entry)
                break
        return getattr(obj, field)

    def store(self, cpu, obj, field, value, kind):
        drain = Drain(cpu, obj, field, value)
        self.waiting.setdefault(cpu, []).append(drain)
        return drain

    def update(self, cpu, obj, field):
        self.barrier(cpu, BARRIER)
        return getattr(obj, field)

    def barrier(self, cpu, kind):
        if kind in (READ_BARRIER, WRITE_BARRIER):
            return  # stores are seen in order, loads done in order
        while self.waiting.get(cpu):
            self.drain(self.waiting[cpu][0])

    def drains(self):
        return [self.waiting[cpu][0] for cpu in sorted(self.waiting) if self.waiting[cpu]]

    def drain(self, entry):
        self.waiting[entry.cpu].remove(entry)
        obj, field, value = entry.op[2]
        setattr(obj, field, value)


class Lazy(StoreBuffers):
    """Stores wait until something orders them."""

    def drains(self):
        return []


class Task:
    state = 0


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

    def set_cpu(self, cpu):
        self.cpu = cpu

    def open(self, request):
        self.now_ns, self.cpu, path, *task = request
        self.current = task[0] if task else Task()
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
    lock = Lock(LockStat("a"))

    def locked(cells):
        yield "lock", ACQUIRE, lock
        yield "unlock", RELEASE, lock

    assert litmus(locked) == ORDERED
    assert litmus(locked, model=partial(make_memory_model, "tso")) == ORDERED


@pytest.mark.parametrize(
    "name, model, outcomes",
    [
        ("a", "sc", ORDERED),
        ("a", "tso", {(0, 0), *ORDERED}),
        ("a", "pso", {(0, 0), *ORDERED}),
        ("pipe_mutex", "tso", ORDERED),
    ],
)
def test_what_is_loaded_after_a_spinning_lock_may_come_before_what_was_stored_under_it(
    name, model, outcomes
):
    found = set()
    for seed in range(200):
        cells = [SimpleNamespace(v=0), SimpleNamespace(v=0)]
        locks = [Lock(LockStat(name)), Lock(LockStat(name))]
        seen = [None, None]

        def path(cpu, cells=cells, locks=locks, seen=seen):
            yield "lock", ACQUIRE, locks[cpu]
            yield "store", STORE, (cells[cpu], "v", 1)
            yield "unlock", RELEASE, locks[cpu]
            seen[cpu] = yield "load", LOAD, (cells[1 - cpu], "v")

        Kernel([path(0), path(1)], seed, partial(make_memory_model, model)).run()
        assert [lock.owner for lock in locks] == [None, None]
        found.add(tuple(seen))
    assert found == outcomes


@pytest.mark.parametrize("model", ["tso", "pso"])
def test_nobody_gets_a_lock_before_what_was_stored_under_it_is_seen(model):
    for seed in range(200):
        cells = [SimpleNamespace(v=0), SimpleNamespace(v=0)]
        lock = Lock(LockStat("a"))

        def path(lock=lock, cells=cells):
            for _ in range(2):
                yield "lock", ACQUIRE, lock
                assert cells[0].v == cells[1].v
                yield "first", STORE, (cells[0], "v", cells[0].v + 1)
                yield "second", STORE, (cells[1], "v", cells[1].v + 1)
                yield "unlock", RELEASE, lock

        Kernel([path(), path(), path()], seed, partial(make_memory_model, model)).run()
        assert (lock.owner, lock.given_up, [cell.v for cell in cells]) == (None, False, [6, 6])


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


@pytest.mark.parametrize("who", ["another on the same cpu", "the same on another cpu"])
def test_a_cpu_that_has_switched_tasks_holds_no_store_of_before(who):
    cell, seen = SimpleNamespace(v=0), []
    first, second = Task(), Task()

    def stores():
        yield "store", STORE, (cell, "v", 5)

    def looks():
        seen.append(cell.v)
        yield from ()

    kernel = Kernel([], 1, Lazy)
    kernel.requests = [(0, 0, stores(), first), (10**9, 0, looks(), first)]
    last = (0, second) if who.startswith("another") else (1, first)
    kernel.requests.append((2 * 10**9, last[0], looks(), last[1]))
    kernel.run()
    assert seen == [0, 5]


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


@pytest.mark.parametrize("name", [AXIOMS, "x86"])
def test_a_model_that_is_not_there_is_refused(name):
    with pytest.raises(ValueError, match=r"\(there is: sc, tso, pso, arm, weak\)"):
        make_memory_model(name)


# -- bytes of pages that guest programs share ------------------------------------------------------


def test_a_store_to_bytes_reaches_those_that_have_some_in_common_with_it():
    page, other = bytearray(16), bytearray(16)
    drain = Drain(0, Cell(page, 7, 4, 4), "data", b"abcd")
    for cell, reach in (
        (Cell(page, 7, 4, 4), ALL),
        (Cell(page, 7, 5, 2), ALL),
        (Cell(page, 7, 2, 4), PART),
        (Cell(page, 7, 7, 8), PART),
        (Cell(page, 7, 0, 16), PART),
        (Cell(page, 7, 0, 4), NOTHING),
        (Cell(page, 7, 8, 4), NOTHING),
        (Cell(other, 8, 4, 4), NOTHING),
        (SimpleNamespace(data=b""), NOTHING),
    ):
        assert drain.reach(cell, "data") == reach, cell
    assert drain.value_in(Cell(page, 7, 5, 2)) == b"bc"


def test_an_update_sees_and_orders_the_stores_of_its_cpu():
    def exchange(cells):
        found = yield "xchg", UPDATE, (cells[2], "v")
        cells[2].v = found + 1

    def with_a_third(cells):
        return exchange([*cells, SimpleNamespace(v=0)])

    assert litmus(with_a_third) == ORDERED


def test_half_a_barrier_does_not_keep_a_load_behind_a_store():
    def write_barrier(cells):
        yield "smp_wmb", WRITE_BARRIER, None
        yield "smp_rmb", READ_BARRIER, None

    assert (0, 0) in litmus(write_barrier)


# -- guest programs --------------------------------------------------------------------------------

SIDES = """\
import mmap
import os

from workloads import guest

m = mmap.mmap(-1, 4096, flags=mmap.{mapping} | mmap.MAP_ANONYMOUS)


def side(mine, other, result):
    guest.atomic_add(m, 256, 1)
    while guest.READ_ONCE(m, 256) < 2:
        pass
    {store}
    {between}
    {load}
    guest.WRITE_ONCE(m, result, seen)
    os._exit(0)


for mine, other, result in ((0, 64, 128), (64, 0, 132)):
    if os.fork() == 0:
        side(mine, other, result)
os.wait()
os.wait()
print(guest.READ_ONCE(m, 128), guest.READ_ONCE(m, 132))
"""
WORD = {"store": "guest.WRITE_ONCE(m, mine, 1)", "load": "seen = guest.READ_ONCE(m, other)"}
ORDERED_WORD = {
    "store": "guest.store_release(m, mine, 1)",
    "load": "seen = guest.load_acquire(m, other)",
}
BYTE = {"store": "m[mine] = 1", "load": "seen = m[other]"}
SLICE = {"store": 'm[mine:mine + 9] = b"\\1" * 9', "load": "seen = m[other + 3 : other + 5][0]"}
OWN = """\
import mmap
import os

from workloads import guest

m = mmap.mmap(-1, 8192, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def work(number):
    place = 64 * number
    for turn in range(6):
        guest.WRITE_ONCE(m, place, 0x01020304 + turn)
        if turn % 3 == 1:
            guest.compute(7_000_000)
        seen = (m[place], m[place + 1 : place + 7], guest.READ_ONCE(m, place))
        if seen != (4 + turn, bytes((3, 2, 1, 0, 0, 0)), 0x01020304 + turn):
            os._exit(1)
        m[place + 2] = 9
        if guest.READ_ONCE(m, place) != 0x01090304 + turn:
            os._exit(2)
        m[4090:4102] = b"x" * 12
        if m[4094:4098] != b"xxxx" or guest.atomic_add(m, place, 1) != 0x01090304 + turn:
            os._exit(3)
    os._exit(0)


for number in range(5):
    if os.fork() == 0:
        work(number)
print([os.wait()[1] for number in range(5)])
"""


MODELS = {"toy-tso": StoreBuffers, "toy-lazy": Lazy}


@pytest.fixture
def run_guest(tmp_path, monkeypatch):
    """Return a function that runs a program at step under a model; it gives what it printed."""
    monkeypatch.setattr(memory, "_MODELS", dict(memory._MODELS))
    for name, model in MODELS.items():
        register_memory_model(name, model)
    assert memory_model_names() == ["sc", "tso", "pso", "arm", "weak", *MODELS]

    def run(text, model, seed=None, cpus=3):
        program = tmp_path / "program.py"
        program.write_text(text)
        spec = guest_spec(
            program, [], cpus=cpus, granularity="step", check=True, trace=False,
            seed=seed or 1, tie_break="random" if seed else "order", memory_model=model,
        )  # fmt: skip
        result = run_local(RunRequest(spec, scheme="exact", max_virtual_ns=60_000_000_000))
        assert (result.exit_kind, result.message) == ("done", "")
        return b"".join(result.outputs.values()).decode()

    return run


def sides(how, between="pass", mapping="MAP_SHARED"):
    return SIDES.format(**how, between=between, mapping=mapping)


@pytest.mark.parametrize("how", [WORD, ORDERED_WORD, BYTE, SLICE], ids=["word", "rel", "b", "s"])
def test_both_sides_of_a_guest_program_miss_the_others_store_only_if_stores_wait(run_guest, how):
    assert run_guest(sides(how), "toy-lazy") == "0 0\n"
    assert run_guest(sides(how), "sc") != "0 0\n"


def test_a_guest_programs_stores_wait_on_some_schedules_and_never_under_sc(run_guest):
    told = {run_guest(sides(WORD), "sc", seed) for seed in range(1, 21)}
    assert told == {"0 1\n", "1 0\n", "1 1\n"}
    assert any(run_guest(sides(WORD), "toy-tso", seed) == "0 0\n" for seed in range(1, 200))


@pytest.mark.parametrize(
    ("between", "ordered"),
    [
        ("guest.smp_mb()", True),
        ("guest.smp_wmb()", False),
        ("guest.smp_rmb()", False),
        ("guest.xchg(m, 512, 1)", True),
        ("guest.cmpxchg(m, 512, 7, 8)", True),
        ("guest.READ_ONCE(m, 512)", False),
    ],
)
def test_what_a_guest_program_puts_between_orders_its_accesses_or_not(run_guest, between, ordered):
    told = run_guest(sides(WORD, between), "toy-lazy")
    assert (told != "0 0\n") == ordered


RACES = sorted((Path(__file__).resolve().parents[2] / "guest/race").glob("*.py"))
SOME = ("exec_against_kill", "kill_against_reap", "vfork_parent_killed")


@pytest.mark.parametrize(
    "program",
    [
        *(pytest.param(path, id=path.stem) for path in RACES if path.stem in SOME),
        *one_in(6, [pytest.param(path, id=path.stem, marks=[pytest.mark.slow]) for path in RACES]),
    ],
)
def test_the_kernels_own_paths_are_right_on_a_machine_whose_stores_wait(run_guest, program):
    told = {
        model: {run_guest(program.read_text(), model, seed) for seed in range(1, 5)}
        for model in ("sc", *MODELS)
    }
    assert told["toy-tso"] | told["toy-lazy"] <= told["sc"]


@pytest.mark.parametrize("seed", range(1, 3))
def test_a_guest_program_sees_its_own_stores_wherever_it_runs(run_guest, seed):
    assert run_guest(OWN, "toy-lazy", cpus=2) == "[0, 0, 0, 0, 0]\n"
    assert run_guest(OWN, "toy-tso", seed, cpus=2) == "[0, 0, 0, 0, 0]\n"
