"""What a mutated kernel stumbles over is a finding, wherever it happens."""

from dataclasses import replace

import pytest

from cluster.race.again import record_of
from cluster.race.explain import explain
from cluster.race.explain_data import as_trace
from cluster.race.explain_text import as_text
from cluster.race.run import BROKEN, Control, Run, Scenario, run_once
from cluster.race.schedule import decode
from cluster.race.shrink import shrink
from cluster.race.watch import Watch
from kernel.boot import start
from kernel.drive import interleave
from kernel.kernel import Kernel

MUTATION = "alloc_pid.pidmap_lock"


@pytest.fixture
def unbootable(fork: Scenario, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """A machine that does not boot if its kernel is mutated."""
    boots = start.boot_machine

    def stumbles(k: Kernel) -> None:
        if k.spec.mutations:
            raise KeyError(object())
        boots(k)

    monkeypatch.setattr(start, "boot_machine", stumbles)
    return replace(fork, spec=replace(fork.spec, mutations=(MUTATION,)))


def run(scenario: Scenario) -> Run:
    """Run a scenario once, as it goes by itself."""
    return run_once(scenario, Control(scenario, None), watch=Watch())


@pytest.mark.usefixtures("followed")
def test_an_oops_of_the_boot_is_a_finding_with_its_story(unbootable: Scenario) -> None:
    found = run(unbootable)
    first, *story = found.verdict.text.splitlines()
    assert found.verdict.kind == BROKEN
    assert first == "oops: the boot in start_machine: KeyError: <object object>"
    assert "    in start_machine()" in story
    assert found.actors == []


@pytest.mark.usefixtures("followed")
def test_an_oops_of_the_boot_is_replayed_shrunk_and_explained(unbootable: Scenario) -> None:
    found = run(unbootable)
    record = record_of(unbootable, found, b"code")
    assert decode(record.text).segments == () and record.schedule.switches == 0
    assert run(unbootable).verdict == found.verdict
    assert shrink(unbootable, found).run.verdict.signature == found.verdict.signature
    told = explain(unbootable, found)
    assert "must be:   the kernel boots" in as_text(told)
    assert as_trace(told)["traceEvents"]


@pytest.mark.usefixtures("followed")
def test_a_kernel_that_does_not_boot_without_mutations_either_is_no_finding(
    fork: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbles(k: Kernel) -> None:
        raise KeyError(k.spec.cpus)

    monkeypatch.setattr(start, "boot_machine", stumbles)
    with pytest.raises(KeyError):
        run(replace(fork, spec=replace(fork.spec, mutations=(MUTATION,))))


@pytest.mark.usefixtures("followed")
def test_an_oops_between_two_steps_is_a_finding(
    fork: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbles(*_args: object) -> None:
        raise AttributeError("no such thing")

    monkeypatch.setattr(interleave, "schedule_out", stumbles)
    found = run(replace(fork, spec=replace(fork.spec, mutations=("set_task_state.smp_mb",))))
    assert found.verdict.kind == BROKEN
    assert found.verdict.text.startswith("oops: ")
    assert "AttributeError: no such thing" in found.verdict.text
    with pytest.raises(AttributeError):
        run(fork)


@pytest.mark.usefixtures("followed")
def test_a_task_that_never_sleeps_at_boot_is_a_finding(fork: Scenario) -> None:
    mutations = ("swap:kthreadd.schedule:kthreadd.unlock",)
    found = run(replace(fork, spec=replace(fork.spec, mutations=mutations)))
    assert found.verdict.kind == BROKEN
    assert found.verdict.text.endswith("does not go to sleep at boot")
