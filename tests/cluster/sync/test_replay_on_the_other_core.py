"""What one core recorded replays on the other to the same digest."""

from pathlib import Path

import pytest

from tests.cluster.kinds import COMPILED, WRITTEN, start

GUEST = Path(__file__).resolve().parents[2] / "guest"

# Runs whose steps are held up at random: recorded, or made again from what was recorded.
REPLAY = """
import sys
from pathlib import Path
from cluster import fast_core  # settles the core, so before the kernel
from cluster.build import guest_spec
from cluster.engine_api import RunRequest
from cluster.local_engine import run_local
from cluster.request import request_of_log
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import RecordedOrder
print(fast_core.core())
do, folder, *programs = sys.argv[1:]
for seed, name in enumerate(programs, 1):
    for scheme in ("exact", "barrier"):
        place = Path(folder) / f"{scheme}{seed}"
        if do == "record":
            place.mkdir()
            spec = guest_spec(
                Path(name), [], cpus=3, seed=seed, granularity="step", tie_break="random"
            )
            request = RunRequest(spec, scheme=scheme, out_dir=place, record_order=True)
        else:
            request = request_of_log(RecordedOrder(place / ORDER_LOG))
        result = run_local(request)
        print(name, scheme, result.exit_kind, result.digest)
"""
RACING = ("pipe/two_writers", "race/deaths_at_once", "futex/mutex", "race/exec_against_kill")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("first", "second"), [(WRITTEN, COMPILED), (COMPILED, WRITTEN)])
def test_a_run_with_random_steps_that_one_core_recorded_replays_on_the_other(
    compiled_tree: Path, tmp_path: Path, first: tuple[str, str], second: tuple[str, str]
) -> None:
    programs = [str(GUEST / f"{name}.py") for name in RACING]
    lines = []
    for kind, do in ((first, "record"), (second, "replay")):
        run = start(kind, "-c", REPLAY, do, str(tmp_path), *programs)
        lines.append(run.communicate()[0].splitlines())
        assert run.returncode == 0
    recorded, replayed = lines
    assert (recorded[0], replayed[0]) == (first[0], second[0])
    assert recorded[1:] == replayed[1:]
    assert len(recorded) == 1 + 2 * len(RACING)
    assert all(" done " in line for line in recorded[1:])
