"""What all tests share: the workloads that engines are compared on, and one Ray for a session.

Only tests marked ``ray`` may ask for ``local_ray``; it starts a Ray of its own at the first of
them, never joins one, and stops it when the session ends.

Tests run the pure core, their subprocesses too. SMPLAB_CORE=compiled makes them run the compiled
one (``make fast``); SMPLAB_FORMS=off runs paths as they are written at granularity ``syscall``.

``make`` runs tests in several processes (pytest-xdist). Tests that belong together stay in one:
those of Ray, and what has the mark ``xdist_group``. With SMPLAB_PASSED=FILE a session notes there
what has passed, and leaves out what an earlier one has noted, as long as no file of the tree has
changed: ``.ci/run`` runs ``make check`` and ``make test``, and no test twice.

Tests with the mark ``soak`` run only where ``--soak`` is given, which ``make soak`` does.
"""

import os
import signal
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

import hypothesis
import pytest

os.environ.setdefault("SMPLAB_CORE", "pure")  # before anything imports cluster or kernel
os.environ.setdefault("SMPLAB_FORMS", "on")

from cluster import fast_core, plugins
from cluster.ray_session import RaySession
from kernel.drive import chooser, memory
from kernel.sched import classes

if fast_core.problem():
    raise pytest.UsageError(fast_core.problem())

hypothesis.settings.register_profile("smplab", deadline=None)  # timing decides no test
hypothesis.settings.load_profile("smplab")

# A shell starts what runs in its background with SIGINT ignored, and commands that tests interrupt
# would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]
PASSED = os.environ.get("SMPLAB_PASSED", "")
# whatever a test may read
TREE = (
    *("kernel", "cluster", "workloads", "tests", "configs", "docs", ".ci"),
    *("pyproject.toml", "Makefile", "README.md", "CHANGELOG.md"),
)


def tree_key() -> str:
    """Return a hash of the tree's files."""
    digest = sha256()
    for name in TREE:
        for path in [ROOT / name, *sorted((ROOT / name).rglob("*"))]:
            if path.is_file() and path.suffix != ".pyc":
                data = path.read_bytes()
                digest.update(f"{path.relative_to(ROOT).as_posix()}\0{len(data)}\0".encode())
                digest.update(data)
    return digest.hexdigest()


class Passed:
    """The file SMPLAB_PASSED: the key of a tree, and the tests that have passed on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key = tree_key()
        self.now: list[str] = []
        known, *passed = path.read_text("utf-8").split("\n") if path.is_file() else [""]
        self.before = set(passed) if known == self.key else set()

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out what has passed before."""
        left_out = [item for item in items if item.nodeid in self.before]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item.nodeid not in self.before]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what has passed."""
        if report.when == "call" and report.passed:
            self.now.append(report.nodeid.rpartition("@")[0] or report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the notes, in the process that has the reports of all."""
        if not hasattr(session.config, "workerinput"):
            notes = [self.key, *sorted(self.before), *self.now]
            self.path.write_text("\n".join(notes), "utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run tests with the mark soak, too")


class OnlyForRay:
    """Lets tests with the mark ``ray`` start Ray, and fails others that would, in this process."""

    def __init__(self) -> None:
        self.allowed = False
        start = RaySession.__init__

        def checked(session: RaySession, *arguments: Any, **options: Any) -> None:
            assert self.allowed, "a test without the mark ray starts Ray"
            start(session, *arguments, **options)

        patch.object(RaySession, "__init__", checked).start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Look at the mark before fixtures are made."""
        self.allowed = item.get_closest_marker("ray") is not None


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(OnlyForRay())
    if PASSED:
        config.pluginmanager.register(Passed(Path(PASSED)))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist puts the groups into the names
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is for a soak; tests of Ray come first, and last those that stay together."""
    if not config.getoption("--soak"):
        left_out = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("soak")]
    for item in items:
        if item.get_closest_marker("ray"):
            item.add_marker(pytest.mark.xdist_group("ray"))
    items.sort(
        key=lambda item: (
            item.get_closest_marker("ray") is None,
            item.get_closest_marker("xdist_group") is not None,
        )
    )


# Small, and together they use every kind of message: contexts that go to the kernel and come back,
# tasks that change CPUs by fork, exec, wake-up and pull, threads, signals, shared memory.
WORKLOADS = {
    "storm": """
  - program: fork_exec_storm
    params: {parents: 6, children: 6, compute: "uniform:10us:50us", touch: "uniform:0:4", pages: 8}
""",
    "vfork_storm": """
  - program: fork_exec_storm
    params: {parents: 4, children: 5, method: vfork}
""",
    "spawn_storm": """
  - program: fork_exec_storm
    params: {parents: 4, children: 5, method: posix_spawn}
""",
    "thread_group_exit": """
  - program: thread_group_exit
    params: {groups: 3, threads: 4, mode: exit_group}
  - program: thread_group_exit
    params: {groups: 3, threads: 4, mode: leader_first}
  - program: thread_group_exit
    params: {groups: 3, threads: 4, mode: sigkill}
  - program: thread_group_exit
    params: {groups: 3, threads: 4, mode: exec_nonleader}
""",
    "prefork_server": """
  - program: prefork_server
    params: {workers: 5, requests: 120, window: 10, retire: 9, crash: 31, compute: 50us}
""",
    "cow_touch": """
  - program: cow_touch
    params: {pages: 16, children: 4, rounds: 2, first: child}
  - program: cow_touch
    params: {pages: 16, children: 4, rounds: 2, kind: shared}
""",
    "unequal_work": """
  - program: fork_exec_storm
    params: {parents: 11, children: 1, compute: "uniform:60ms:200ms"}
""",
}


@pytest.fixture(autouse=True)
def forgotten_parts() -> Iterator[None]:
    """Classes, choosers and models that a test makes known are not known to the next one."""
    with (
        patch.dict(classes._registered),
        patch.dict(chooser._CHOOSERS),
        patch.dict(memory._MODELS),
        patch.dict(plugins._modules),
    ):
        yield


@pytest.fixture
def make_request(tmp_path: Path) -> Callable[..., Any]:
    """Return ``make(workload, **changes)``: a RunRequest for one of WORKLOADS, under barrier."""
    from cluster.build import resolve
    from cluster.config import parse_config
    from cluster.engine_api import RunRequest

    def make(workload: str, *, config: str = "machine: {cpus: 8}\n", **changes: Any) -> Any:
        text = f"name: test\n{config}workloads:{WORKLOADS[workload]}"
        spec = resolve(parse_config("c.yaml", text, tmp_path))
        return RunRequest(spec=spec, **{"scheme": "barrier", **changes})

    return make


@pytest.fixture(scope="session")
def local_ray() -> Iterator[None]:
    """A Ray of this test session's own."""
    from cluster.ray_session import RaySession

    with RaySession("local", 3) as session:
        assert session.owned
        yield
