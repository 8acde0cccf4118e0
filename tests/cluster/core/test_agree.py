"""Quick forms of paths, and the paths as they are written, do the same to the byte.

Here within one process, by taking the table of quick forms away from the drivers for a while; so
``tests/cluster/test_every_program.py`` does with all guest programs. In
``tests/cluster/test_fast_core.py`` whole processes are compared, the compiled core among them.
"""

from collections.abc import Callable
from typing import Any

import pytest

from cluster import fast_core
from cluster.digest import digested_part
from cluster.engine import run_machine
from cluster.engine_api import DONE
from tests.cluster.kinds import paths_as_written

pytestmark = pytest.mark.skipif(not fast_core.has_forms(), reason="this core has no quick forms")


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
@pytest.mark.parametrize(
    "workload",
    ["storm", "vfork_storm", "spawn_storm", "thread_group_exit", "prefork_server", "cow_touch"],
)
def test_workloads_have_the_same_trace_times_and_lock_statistics(
    workload: str, scheme: str, make_request: Callable[..., Any]
) -> None:
    config = "machine: {cpus: 4}\ntrace: {enabled: true, syscalls: true}\n"
    request = make_request(workload, config=config, scheme=scheme)
    quick = run_machine(request)
    with paths_as_written():
        written = run_machine(request)
    assert quick.exit_kind == DONE, quick.message
    assert digested_part(written.summary) == digested_part(quick.summary)
    assert written.digest == quick.digest
