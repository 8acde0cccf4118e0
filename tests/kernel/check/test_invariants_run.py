"""All invariants after every turn of a small machine that forks, sleeps, waits and exits."""

from typing import Any

import pytest

from kernel.check.at_rest import boot_counts, check_end
from kernel.check.invariants import check_machine
from kernel.cpu.cpu import Cpu
from kernel.machine import FileSpec, ImageSpec, MachineSpec, SpawnSpec
from kernel.state import KernelState
from kernel.uapi import syscalls as nr

QUANTUM_NS = 50_000
LIMIT_NS = 1_000_000_000


class Script:
    """A user context made of a function ``(state, value) -> op`` and a dict of plain values."""

    steps = 1

    def __init__(self, function: Any, state: dict[str, Any]) -> None:
        self.function = function
        self.state = state

    def resume(self, value: Any, error: Any) -> Any:
        assert error is None, error
        return self.function(self.state, value)

    def fork(self) -> "Script":
        return Script(self.function, dict(self.state))

    share = fork


class Scripts:
    """The loader: image names to functions."""

    def __init__(self, **functions: Any) -> None:
        self.functions = functions

    def start(self, image: str, argv: Any, env: Any, *rest: Any) -> Script:
        return Script(self.functions[image], {"at": "start", "left": 6})


def storm(state, value):
    """Fork six children, two at a time, each of which forks one of its own; wait for all."""
    at = state["at"]
    if at == "start":
        state["at"] = "forked"
        return (nr.NR_FORK,)
    if at == "forked" and value == 0:
        state["at"] = "grandchild"
        return (nr.NR_FORK,)
    if at == "grandchild":
        # the grandchild outlives the child: an orphan, which init reaps
        state["at"] = "leave"
        return (nr.NR_COMPUTE, 3_000_000 if value == 0 else 200_000)
    if at == "leave":
        return (nr.NR_EXIT_GROUP, 3)
    if at == "forked":
        state["left"] -= 1
        state["at"] = "start" if state["left"] else "wait"
        if state["left"] % 2:
            return (nr.NR_NANOSLEEP, 500_000)
        return (nr.NR_WAIT4, -1, 0)
    if at == "wait":
        state["waited"] = state.get("waited", 3)
        if state["waited"] == 0:
            return (nr.NR_EXIT_GROUP, 7)
        state["waited"] -= 1
        return (nr.NR_WAIT4, -1, 0)
    raise AssertionError(state)


def machine(cpus, granularity):
    spec = MachineSpec(
        cpus=cpus,
        granularity=granularity,
        files={"/bin/storm": FileSpec(mode=0o755, image=ImageSpec("storm"))},
        spawns=(SpawnSpec("/bin/storm", ("storm",), count=2, every_ns=50_000),),
    )
    loader = Scripts(storm=storm)
    return KernelState(spec, loader), [Cpu(cpu, spec, loader) for cpu in range(cpus)]


def run(k, cpus, check):
    """Run to the end in supersteps; call ``check(in_flight)`` after each part of one."""
    inboxes = {cpu.id: [] for cpu in cpus}
    horizon_ns = 0
    while not k.finished():
        horizon_ns += QUANTUM_NS
        assert horizon_ns < LIMIT_NS, "nothing can run any more"
        for cpu in cpus:
            effects, inboxes[cpu.id] = inboxes[cpu.id], []
            cpu.step(horizon_ns, effects)
            for dest, message in cpu.forwards:
                inboxes[dest].append(message)
            cpu.forwards = []
            k.deliver(cpu.out)
            cpu.out = []
            check([(dest, effect) for dest, box in inboxes.items() for effect in box])
        k.run(horizon_ns)
        for dest, effects in k.take_effects().items():
            inboxes[dest] += effects
        check([(dest, effect) for dest, box in inboxes.items() for effect in box])
    for cpu in cpus:
        cpu.step(horizon_ns + QUANTUM_NS, inboxes[cpu.id])


@pytest.mark.parametrize("granularity", ["syscall", "step"])
@pytest.mark.parametrize("cpus", [1, 3])
def test_all_invariants_hold_after_every_turn_and_nothing_is_left(cpus, granularity):
    k, lps = machine(cpus, granularity)
    counts = boot_counts(k)
    turns = 0

    def check(in_flight):
        nonlocal turns
        turns += 1
        assert check_machine(k, lps, in_flight) == []

    run(k, lps, check)
    assert turns > 100
    assert check_end(k, counts) == []
    assert [status for _, _, status in k.programs.statuses] == [7 << 8, 7 << 8]


def test_a_machine_at_rest_has_no_violation():
    k, lps = machine(3, "syscall")
    assert check_machine(k, lps) == []
    assert check_end(k, boot_counts(k)) == []
