"""The four bugs of the "Decade of Wasted Cores": each is found, and nothing without it."""

from pathlib import Path

import pytest

from cluster.cli.main import run_command
from cluster.config.load import load_config
from kernel.smp.mutations import SCHED_MUTATIONS

HERE = Path(__file__).resolve().parents[2] / "configs" / "wasted_cores"
SCENARIOS = sorted(path.stem for path in HERE.glob("*.yaml"))


def wasted(config: Path, out: Path) -> int:
    """Run ``config``; return the exit code of the checker."""
    assert run_command(["run", "-q", "--out", str(out), str(config)]) == 0
    (run,) = (path for path in out.iterdir() if path.is_dir() and not path.is_symlink())
    return run_command(["sched", "wasted", str(run)])


def test_every_mutation_has_a_scenario() -> None:
    named = [load_config(HERE / f"{name}.yaml").config.mutations for name in SCENARIOS]
    assert sorted(name for (name,) in named) == sorted(SCHED_MUTATIONS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_seeded_bug_of_balancing_leaves_cpus_idle(name: str, tmp_path: Path) -> None:
    assert wasted(HERE / f"{name}.yaml", tmp_path / "runs") == 1


@pytest.mark.parametrize("name", SCENARIOS)
def test_without_it_no_cpu_idles_while_tasks_wait(name: str, tmp_path: Path) -> None:
    text = (HERE / f"{name}.yaml").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("mutations")]
    (tmp_path / f"{name}.py").write_bytes((HERE / f"{name}.py").read_bytes())
    (tmp_path / f"{name}.yaml").write_text("\n".join(lines))
    assert wasted(tmp_path / f"{name}.yaml", tmp_path / "runs") == 0
