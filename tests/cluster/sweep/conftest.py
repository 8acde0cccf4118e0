"""An experiment of a few short runs, and the command that sweeps it."""

from pathlib import Path

import pytest

from cluster.cli.main import run_command

BASE = "machine: {cpus: 1}\nworkloads: [{program: ./work.py, instances: 2}]\n"
WORK = """from workloads import guest

guest.compute(1_000_000)
print("done", 3)
"""
SMALL = """name: small
base: base.yaml
axes:
  machine.cpus: 1..2
  sched.fair: [eevdf, cfs]
seeds: 1..2
measure: [virtual, said.done, summary.switches.total, late_max]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, with what an experiment needs."""
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE, "utf-8")
    Path("work.py").write_text(WORK, "utf-8")
    Path("small.yaml").write_text(SMALL, "utf-8")
    return tmp_path


@pytest.fixture
def sweep(folder, capsys):
    """Return ``sweep(*options, code=0)``: what the command printed."""

    def run(*options, code=0, file="small.yaml"):
        capsys.readouterr()
        assert run_command(["sweep", file, *options]) == code
        return capsys.readouterr()

    return run


@pytest.fixture
def newest(folder):
    """Return a function that returns the newest sweep's directory."""

    def find():
        return max(Path("runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)

    return find
