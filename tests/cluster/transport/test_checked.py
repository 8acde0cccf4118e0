"""A run whose packets are lost, repeated, disordered and damaged has the bytes of any other."""

from collections.abc import Sequence

import pytest

from cluster.engine_api import DONE, RunRequest, RunResult
from cluster.local_engine import run_local
from cluster.ray_engine import run_ray
from cluster.transport.checked import CheckedLink, NoAnswer
from cluster.transport.faults import KINDS, FaultPlan
from cluster.transport.frames import FrameTransport
from tests.cluster.direct_run import DirectRun
from tests.cluster.killed import storm

MIXED = dict.fromkeys(KINDS, 30)


class FaultyRun(DirectRun):
    """The Ray engine's run with plain objects for actors, over a checked link."""

    def _start(self) -> None:
        super()._start()
        assert self.actors is not None
        self.everybody = self.actors.all()
        for number, actor in enumerate(self.everybody):
            actor.open_checked(9, 0, number)
        assert self.request.faults is not None
        self.link = CheckedLink(len(self.everybody), 9, 0, self.request.faults, self._carry)
        self.transport = FrameTransport(self.link, self._begin)

    def _carry(self, packets: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        answers = [(actor, self.everybody[actor].receive(packet)) for actor, packet in packets]
        return [(actor, answer) for actor, answer in answers if answer is not None]

    def answering(self, name: str) -> int:
        """Return how often actors refused or repeated something."""
        return sum(actor._checked.counts[name] for actor in self.everybody)


def request_for(plan: FaultPlan) -> RunRequest:
    return RunRequest(storm(8), scheme="barrier", cpus_per_actor=3, faults=plan)


@pytest.fixture(scope="module")
def plain() -> RunResult:
    return run_local(RunRequest(storm(8), scheme="barrier"))


@pytest.mark.parametrize(
    ("kind", "rate"),
    [
        *((kind, 60) for kind in KINDS),
        *(
            pytest.param(kind, rate, marks=pytest.mark.slow)
            for kind in KINDS
            for rate in (10, 100, 200)
        ),
    ],
)
def test_one_kind_of_fault_changes_nothing_and_has_happened(plain, kind, rate):
    run = FaultyRun(request_for(FaultPlan(5, **{kind: rate})))
    result = run.run()
    assert (result.exit_kind, result.digest) == (DONE, plain.digest)
    assert run.link.counts[kind] > 0


@pytest.mark.parametrize(
    "seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 11))]
)
def test_all_faults_together_change_nothing_and_have_all_happened(plain, seed):
    run = FaultyRun(request_for(FaultPlan(seed, **MIXED)))
    assert run.run().digest == plain.digest
    assert all(run.link.counts[kind] for kind in KINDS)
    assert run.link.counts["asked again"]
    assert run.answering("repeated") and run.answering("damaged")
    assert run.link.refused()["old"] and run.link.refused()["damaged"]


def test_the_same_seed_makes_the_same_faults():
    runs = [FaultyRun(request_for(FaultPlan(3, **MIXED))) for _ in range(2)]
    for run in runs:
        run.run()
    assert runs[0].link.counts == runs[1].link.counts


def test_a_way_that_heals_is_used_without_faults(plain):
    run = FaultyRun(request_for(FaultPlan(1, drop=500, until=40)))
    assert run.run().digest == plain.digest


def test_a_way_on_which_nothing_gets_through_is_given_up():
    with pytest.raises(NoAnswer, match="actor 0 was asked 1000 times"):
        FaultyRun(request_for(FaultPlan(1, drop=1000))).run()


@pytest.mark.ray
def test_on_ray_all_faults_together_change_nothing(local_ray, plain):
    request = request_for(FaultPlan(1, **MIXED))
    request.engine = "ray"
    result = run_ray(request)
    assert (result.exit_kind, result.digest) == (DONE, plain.digest)
