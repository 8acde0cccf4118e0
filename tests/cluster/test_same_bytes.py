"""One configuration, one digest: whatever the packing, the engine, the hash seed and the folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.same_digest import CONFIG, CONFIGS, GRANULARITIES, LOCAL, RAY, digest
from tests.soak import one_in

ROOT = Path(__file__).resolve().parents[2]
DIRECT = """
import sys
from pathlib import Path
from cluster.build import resolve
from cluster.config import load_config
from cluster.local_engine import run_local
from cluster.request import request_of
from tests.cluster.direct_run import run_direct

for granularity in ("syscall", "step"):
    flags = [("--set", f"granularity={granularity}")]
    loaded = load_config(Path(sys.argv[1]), flags)
    for per_actor in (0, 1, 2, 4, 8):
        request = request_of(loaded, resolve(loaded))
        request.cpus_per_actor = per_actor
        run = run_direct if per_actor else run_local
        result = run(request)
        print(granularity, result.exit_kind, result.digest)
"""

CASES = [
    pytest.param(text, granularity, id=f"{name}-{granularity}")
    for name, text in CONFIGS.items()
    for granularity in GRANULARITIES
]


def outside(script: list[str], folder: Path, hash_seed: str) -> str:
    """Run Python in ``folder``; return what it prints."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *script], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration as a file."""
    path = tmp_path / "same.yaml"
    path.write_text(CONFIG)
    return path


@pytest.mark.parametrize("text", CONFIGS.values(), ids=CONFIGS)
def test_packing_hash_seed_and_folder_do_not_matter(
    text: str, config: Path, tmp_path: Path
) -> None:
    config.write_text(text)
    found = set()
    for number, hash_seed in enumerate(("0", "4711")):
        folder = tmp_path / f"folder{number}"
        folder.mkdir()
        found.add(outside(["-c", DIRECT, str(config)], folder, hash_seed))
    [lines] = found
    runs = [line.split() for line in lines.splitlines()]
    assert [kind for _, kind, _ in runs] == ["done"] * 10
    for granularity in ("syscall", "step"):
        assert len({digest for name, _, digest in runs if name == granularity}) == 1


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize(("text", "granularity"), one_in(3, CASES))
def test_every_form_core_engine_packing_hash_seed_and_folder_gives_one_digest(
    text: str, granularity: str, compiled_tree: Path, tmp_path: Path
) -> None:
    found = {way.name: digest(way, granularity, tmp_path, text) for way in LOCAL + RAY}
    assert len(set(found.values())) == 1, found


@pytest.mark.ray
def test_a_run_recorded_on_ray_replays_to_the_same_digest_in_one_process(
    config: Path, tmp_path: Path
) -> None:
    command = "import sys; sys.argv[0] = 'smplab'; from cluster.entry import main; main()"
    arguments = ["run", str(config), "-q", "--engine", "ray", "--record", "order"]
    digest = outside(["-c", command, *arguments], tmp_path, "0")
    told = outside(["-c", command, "replay", "latest"], tmp_path, "1")
    assert told.startswith(f"same: {digest.split(':')[0]}:{digest.split(':')[1][:16]} ")
    assert "recorded on the ray engine" in told
