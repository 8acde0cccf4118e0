"""What tests of the race laboratory share: a small scenario, and fields that tell of their use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import fast_core
from cluster.build import guest_spec
from cluster.race.run import Expected, Scenario
from cluster.race.watch import following

FORK = """\
import os

pid = os.fork()
if pid == 0:
    os._exit(3)
assert os.waitpid(pid, 0)[1] == 3 << 8
"""

PING_PONG = """\
import os

r1, w1 = os.pipe()
r2, w2 = os.pipe()
pid = os.fork()
if pid == 0:
    os.read(r1, 1)
    os.write(w2, b"y")
    os._exit(0)
os.write(w1, b"x")
os.read(r2, 1)
os.waitpid(pid, 0)
"""

# a hundred traces and more
SESSION = """\
import os
pid = os.fork()
if pid == 0:
    os.setsid()
    os._exit(0)
try:
    os.getsid(pid)
except ProcessLookupError:
    pass
"""

GUEST = Path(__file__).resolve().parents[2] / "guest"


def scenario_of(program: Path, cpus: int = 2, mutations: tuple[str, ...] = ()) -> Scenario:
    """Return the scenario of a guest program that must end with status 0."""
    spec = guest_spec(program, [], cpus=cpus, granularity="step", check=False, trace=False)
    spec.mutations = mutations
    return Scenario(program.stem, spec, Expected(statuses=((program.name, 0),)))


@pytest.fixture(autouse=True)
def pure_core() -> None:
    """Skip tests where the kernel that the process has is the compiled one."""
    if fast_core.core() == "compiled":
        pytest.skip("the race laboratory runs the pure core")


@pytest.fixture(scope="session")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """A parent that waits for its child, on two CPUs."""
    path = tmp_path_factory.mktemp("fork") / "fork.py"
    path.write_text(FORK)
    return scenario_of(path)


@pytest.fixture
def followed() -> Iterator[None]:
    """All fields tell of their use."""
    with following():
        yield
