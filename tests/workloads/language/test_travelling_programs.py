"""Guest programs whose contexts travel before every block say and do what they do at home."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.build import guest_spec
from cluster.codec import pack, unpack_plain
from cluster.engine_api import RunRequest, RunResult
from cluster.local_engine import run_local
from workloads.language.context import Context
from workloads.language.unpacking import unpack_contexts

GUEST = Path(__file__).resolve().parents[2] / "guest"
PROGRAMS = sorted(str(path.relative_to(GUEST)) for path in GUEST.glob("*/*.py"))
EVERY = 20  # of these programs one is in the fast tests


def run(name: str) -> RunResult:
    spec = guest_spec(GUEST / name, [], cpus=2)
    return run_local(RunRequest(spec=spec, scheme="barrier"))


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


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=[] if number % EVERY == 0 or "travel" in name else pytest.mark.slow
        )
        for number, name in enumerate(PROGRAMS)
    ],
)
def test_a_program_whose_contexts_travel_runs_as_at_home(
    name: str, travel: Callable[[], list[int]]
) -> None:
    at_home = run(name)
    journeys = travel()
    away = run(name)
    assert journeys
    assert (away.exit_kind, away.message) == (at_home.exit_kind, at_home.message)
    assert away.outputs == at_home.outputs
    assert away.digest == at_home.digest
