"""All CPUs of a run are set down, sent over a wire and taken up, again and again: same bytes."""

from dataclasses import replace
from pathlib import Path

import pytest

from cluster import codec
from cluster.build import guest_spec
from cluster.codec import GroupCodec
from cluster.engine_api import RunRequest
from cluster.local_engine import LocalRun
from kernel.cpu.checkpoint import pack_cpu, unpack_cpu
from kernel.cpu.rated import make_cpu
from kernel.process.spawn_child import unpack_context
from workloads.language.loader import Loader

GUEST = Path(__file__).parents[1] / "guest"
EVERY = 5  # rounds


class SetDown(LocalRun):
    """A run whose CPUs are all made anew from their data, every few rounds."""

    def __init__(self, request: RunRequest) -> None:
        super().__init__(request)
        spec = request.spec
        self.loader = Loader(
            spec.sources,
            block_budget=spec.block_budget,
            cpus=spec.cpus,
            guest_memory=spec.guest_memory,
        )
        self.times = 0

    def look(self) -> None:
        super().look()
        if self._rounds % EVERY:
            return
        self.times += 1
        group = self.group._group
        for place, old in enumerate(list(self.group.cpus.values())):
            wire = GroupCodec(0, [old.id], self.loader)
            data = codec._unpack(codec.pack(pack_cpu(old)), wire._hook)
            new = make_cpu(old.id, self.request.spec, self.loader)
            unpack_cpu(new, data, lambda packed: unpack_context(self.loader, packed))
            new.trace = old.trace
            group.cpus[place] = group.by_number[old.id] = new


def test_cpus_that_keep_averages_are_taken_up_with_them() -> None:
    places = tuple((0, 0, cpu // 2, cpu // 2, cpu, (1024, 600)[cpu // 2]) for cpu in range(4))
    spec = replace(guest_spec(GUEST / "sched/storm.py", [], cpus=4), places=places)
    run = SetDown(RunRequest(spec, scheme="barrier"))
    assert run.run().digest == LocalRun(RunRequest(spec, scheme="barrier")).run().digest
    assert run.times >= 3


@pytest.mark.parametrize(
    ("scheme", "fair"),
    [
        ("exact", "cfs"),
        ("barrier", "cfs"),
        ("barrier", "eevdf"),
        ("exact", "o1"),
        ("redblack", "cfs"),
    ],
)
@pytest.mark.parametrize(
    "program",
    [
        "sched/rt_on_all_cpus.py",
        "sched/storm.py",
        "sched/deadline_overrun.py",
        "fork/binary_tree.py",
    ],
)
def test_a_run_whose_cpus_are_set_down_and_taken_up_gives_the_same_bytes(
    program: str, scheme: str, fair: str
) -> None:
    spec = replace(guest_spec(GUEST / program, [], cpus=3), fair=fair)
    plain = LocalRun(RunRequest(spec, scheme=scheme)).run()
    run = SetDown(RunRequest(spec, scheme=scheme))
    result = run.run()
    assert (result.exit_kind, result.message) == (plain.exit_kind, plain.message)
    assert run.times >= 3
    assert result.digest == plain.digest
