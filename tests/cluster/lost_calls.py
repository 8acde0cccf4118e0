"""A run on a Ray whose calls of actors fail now and then, in a process of its own.

Ray reads what is to fail when it is imported: the environment of a process says it. A request that
fails is not carried out; a reply that fails is of a call that was; who has called sees the same.

Usage: python -m tests.cluster.lost_calls FOLDER LINK (RAY_testing_rpc_failure is set)
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
_CALL: Final = "CoreWorkerService.grpc_client.PushTask"


def run_with_lost_calls(folder: Path, link: str, failures: int, percent: dict[str, int]) -> Any:
    """Run in another process; return what ``main`` prints.

    Args:
        folder: is made, and gets the files of the run.
        link: of the actors.
        failures: how many calls fail at most.
        percent: of the calls: ``req``, ``resp`` and ``in_flight``.
    """
    plan = {f"{kind}_failure_prob": rate for kind, rate in percent.items()}
    failing = {_CALL: {"num_failures": failures, **plan}}
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(folder), link],
        env={**os.environ, "PYTHONPATH": str(ROOT), "RAY_testing_rpc_failure": json.dumps(failing)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise AssertionError(f"exit code {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Run, and print how it ended."""
    from cluster.ray_session import RaySession
    from tests.cluster.struck import Struck, request_on_ray

    folder, link = sys.argv[1:]
    with RaySession("local", 3):
        run = Struck(request_on_ray(Path(folder), link, max_recoveries=50), [])
        result = run.run()
    ended = {
        "kind": result.exit_kind,
        "message": result.message,
        "digest": result.digest,
        "recoveries": run.recoveries,
    }
    print(json.dumps(ended))


if __name__ == "__main__":
    main()
