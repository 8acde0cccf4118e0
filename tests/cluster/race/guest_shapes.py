"""Classic shapes of memory ordering as guest programs, and runs in which their accesses meet."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import LocalRun
from cluster.race.actors import actor_of
from cluster.race.run import Control, Scenario
from cluster.race.scenario import load_scenario
from kernel.drive.chooser import Choice
from kernel.drive.memory import Cell
from workloads.litmus.condition import Place
from workloads.litmus.shapes import SHAPES

_HEAD = """\
import mmap, os
from workloads import guest
memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pids = []
"""
_FENCES = ("mb", "rmb", "wmb")
_ROUND = 16  # bytes
ROUNDS = 20  # of one run: the shape once in each, at a place of its own


def shape_program(name: str) -> str:
    """Return the shape ``name`` as a guest program that prints the registers and memory."""
    shape_name = max((each for each in SHAPES if name.startswith(each + "+")), key=len)
    shape = SHAPES[shape_name]
    links = name[len(shape_name) + 1 :].split("+")
    locations = _locations(shape_name)
    lines = [_HEAD]
    for number, (accesses, link) in enumerate(zip(shape.processes, links, strict=True)):
        lines.append("pid = os.fork()\nif pid == 0:\n    found = []")
        lines.append(f"    for at in range(0, {ROUNDS * _ROUND}, {_ROUND}):\n        r = [0, 0]")
        for place, (kind, location, value) in enumerate(accesses):
            if place and link in _FENCES:
                lines.append(f"        guest.smp_{link}()")
            line = _access(kind, f"at + {locations.index(location) * 4}", value, place, link)
            if place and link == "ctrl":
                line = f"if r[0] == {accesses[0][2]}:\n            {line}"
            lines.append(f"        {line}")
        lines.append("        found += r")
        lines.append(f"    print({number}, *found, flush=True)\n    os._exit(0)\npids.append(pid)")
    lines.append("for pid in pids:\n    os.waitpid(pid, 0)")
    size = 4 * len(locations)
    lines.append(
        "print('memory', *[guest.READ_ONCE(memory, at + place)"
        f" for at in range(0, {ROUNDS * _ROUND}, {_ROUND}) for place in range(0, {size}, 4)])"
    )
    return "\n".join(lines) + "\n"


def _locations(shape_name: str) -> list[str]:
    return sorted({one[1] for process in SHAPES[shape_name].processes for one in process})


def _access(kind: str, offset: str, value: int, place: int, link: str) -> str:
    if kind == "R":
        call = "load_acquire" if link == "acq" and not place else "READ_ONCE"
        return f"r[{place}] = guest.{call}(memory, {offset})"
    call = "store_release" if link == "rel" and place else "WRITE_ONCE"
    what = f"(r[0] ^ r[0]) + {value}" if link == "data" and place else str(value)
    return f"guest.{call}(memory, {offset}, {what})"


def states_printed(name: str, printed: str, places: Sequence[Place]) -> set[tuple[int, ...]]:
    """Return the values of ``places`` in each round, of what the program of a shape prints."""
    shape_name = max((each for each in SHAPES if name.startswith(each + "+")), key=len)
    locations = _locations(shape_name)
    rows = {
        line.split()[0]: [int(word) for word in line.split()[1:]] for line in printed.splitlines()
    }
    found = set()
    for number in range(ROUNDS):
        state: dict[Place, int] = {}
        for process in range(len(SHAPES[shape_name].processes)):
            row = rows[str(process)]
            state[process, "r0"], state[process, "r1"] = row[2 * number], row[2 * number + 1]
        for place, location in enumerate(locations):
            state[-1, location] = rows["memory"][number * len(locations) + place]
        found.add(tuple(state[place] for place in places))
    return found


class Together:
    """A strategy: nobody begins a round before all have come to it; within one all is chance."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def pick(self, enabled: Sequence[Choice]) -> int:
        """Return whoever is at no access of a round, the lowest first; else any of the first."""
        alone: list[tuple[int, int]] = []
        rounds: dict[int, int] = {}
        for place, entry in enumerate(enabled):
            name, _kind, obj = entry.op
            if entry.task is None or name.startswith("smp_barrier."):
                continue
            if name.startswith("atomic.") and isinstance(obj[0], Cell):
                rounds[place] = obj[0].start // _ROUND
            else:
                alone.append((actor_of(entry), place))
        if alone:
            return min(alone)[1]
        first = min(rounds.values(), default=0)
        return self._random.choice(
            [place for place in range(len(enabled)) if rounds.get(place, first) == first]
        )


def scenario_of_shape(folder: Path, name: str, model: str) -> Scenario:
    """Return the shape as a scenario: a CPU for each process, and one for who starts them."""
    path = folder / "shape.py"
    path.write_text(shape_program(name))
    return load_scenario(path).changed(cpus=name.count("+") + 1, model=model).scenario


def printed_by(scenario: Scenario, seed: int) -> str:
    """Run a shape and return what it prints."""
    spec = replace(scenario.spec, tie_break="order", check=False)
    run = LocalRun(RunRequest(spec, scheme="free", max_virtual_ns=10**12))
    run.host.kernel.chooser = Control(scenario, Together(Random(seed)))
    result = run.run()
    assert result.exit_kind == DONE, result.message
    return result.outputs["shape.stdout"].decode()
