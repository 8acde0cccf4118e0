"""What the configuration starts, and what becomes of a run where it cannot be started."""

from dataclasses import replace

import pytest

from cluster.build import guest_spec
from cluster.engine_api import GUEST, RunRequest
from cluster.local_engine import run_local


@pytest.mark.parametrize("granularity", ["syscall", "step"])
@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_a_program_that_init_cannot_start_ends_the_run_with_its_name(tmp_path, scheme, granularity):
    path = tmp_path / "sleeps.py"
    path.write_text("import time\ntime.sleep(1)\n", "utf-8")
    spec = guest_spec(path, [], cpus=1, granularity=granularity, pid_max=310)
    (spawn,) = spec.spawns
    spec = replace(spec, spawns=(replace(spawn, count=400),))
    result = run_local(RunRequest(spec, scheme=scheme))
    assert result.exit_kind == GUEST
    name, why = result.message.split(": ")
    assert why == "EAGAIN"
    assert 280 < int(name.removeprefix("init cannot start sleeps.py-")) < 310
