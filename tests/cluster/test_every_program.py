"""Every guest program gives the same bytes in every way there is to run it.

Beside the run on the local engine with quick forms of paths, which is the reference: paths as they
are written, the compiled core, contexts that travel before every block, and CPUs packed into the
actors of the Ray engine. Each runs on one or both of two machines, one of each granularity and one
of each scheme; of both also the trace file is compared, system calls in it. The reference is made
once for all: the tests of a program stay in one process where tests run in several.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cluster import fast_core
from cluster.codec import pack, unpack_plain
from cluster.emulated import Machine
from cluster.engine_api import DONE
from tests.cluster.core_outcomes import PROGRAMS, Outcome, machines, program_outcome
from tests.cluster.direct_run import run_direct
from tests.cluster.kinds import COMPILED, Outcomes, paths_as_written
from workloads.language.context import Context
from workloads.language.unpacking import unpack_contexts

FIRST_OF_FAMILY = {
    min(name for name in PROGRAMS if name.startswith(family))
    for family in {name.split("/")[0] + "/" for name in PROGRAMS}
}
EVERY = 20  # of these programs one has its contexts travel in the fast tests


WAYS = 4  # each program goes one of them outside of soaks


def each(way: int, fast: Callable[[str], bool]) -> Any:
    """Let a test run for every program; it is a fast one for some, and for a soak for most."""

    def marks(number: int, name: str) -> list[pytest.MarkDecorator]:
        together = pytest.mark.xdist_group(name)
        if fast(name):
            return [together]
        return [together, pytest.mark.slow, *([pytest.mark.soak] if number % WAYS != way else [])]

    return pytest.mark.parametrize(
        "name",
        [pytest.param(name, marks=marks(number, name)) for number, name in enumerate(PROGRAMS)],
    )


@cache
def reference(name: str, machine: Machine) -> Outcome:
    outcome = program_outcome(name, machine)
    assert outcome[:2] == [DONE, ""]
    return outcome


@each(0, lambda name: name in FIRST_OF_FAMILY)
@pytest.mark.skipif(not fast_core.has_forms(), reason="this core has no quick forms")
def test_paths_as_they_are_written_do_the_same_as_their_quick_forms(name: str) -> None:
    at_syscall, _ = machines(name)  # at step there are no quick forms
    wanted = reference(name, at_syscall)
    with paths_as_written():
        assert program_outcome(name, at_syscall) == wanted


@pytest.fixture
def travel(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """Return a function after whose call contexts travel; it returns a list, one item a time."""
    resume, share = Context.resume, Context.share
    journeys: list[int] = []
    shared: dict[int, list[Any]] = {}  # address spaces of vfork: they are in two contexts

    def shared_child(context: Context) -> Context:
        shared[id(context.globals)] = context.globals
        return share(context)

    def travelled(context: Context, value: Any, error: Any) -> Any:
        process = context.globals[0]
        if id(context.globals) not in shared and not process.threads:
            data = unpack_plain(pack(context.pack()))
            [copy] = unpack_contexts(data, process.program)
            context.globals, context.frames = copy.globals, copy.frames
            journeys.append(process.main)
        return resume(context, value, error)

    def begin() -> list[int]:
        monkeypatch.setattr(Context, "share", shared_child)
        monkeypatch.setattr(Context, "resume", travelled)
        return journeys

    return begin


@each(1, lambda name: PROGRAMS.index(name) % EVERY == 0 or "travel" in name)
def test_contexts_that_travel_do_what_they_do_at_home(
    name: str, travel: Callable[[], list[int]]
) -> None:
    at_syscall, _ = machines(name)
    wanted = reference(name, at_syscall)
    journeys = travel()
    assert program_outcome(name, at_syscall) == wanted
    assert journeys


@each(2, lambda name: False)
def test_actors_of_two_cpus_do_what_the_local_engine_does(name: str) -> None:
    """Whatever a system call takes or returns must be able to travel."""
    [barrier] = [machine for machine in machines(name) if machine.scheme == "barrier"]
    assert program_outcome(name, barrier, run_direct) == reference(name, barrier)


@pytest.fixture(scope="session")
def compiled(compiled_tree: Path) -> Iterator[Outcomes]:
    outcomes = Outcomes(COMPILED)
    assert outcomes.core == "compiled True"
    yield outcomes
    outcomes.close()


@each(3, lambda name: False)
@pytest.mark.timeout(1800)
def test_the_compiled_core_does_what_the_pure_one_does(name: str, compiled: Outcomes) -> None:
    for machine in machines(name):
        assert compiled.of(name, machine) == reference(name, machine)
