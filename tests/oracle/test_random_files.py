"""Random operations on files give on the emulator what they give on the host's kernel.

``python tests/oracle/random_files.py`` writes any number of such programs.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cluster.diff import Plan, diff_program
from cluster.diff_report import render_details

pytestmark = pytest.mark.native


def _load() -> ModuleType:
    path = Path(__file__).with_name("random_files.py")
    spec = importlib.util.spec_from_file_location("random_files", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def check(folder: Path, seed: int, granularity: str) -> None:
    path = folder / f"files_{seed}.py"
    path.write_text(_load().program(seed), encoding="utf-8")
    report = diff_program(path, plan=Plan((1 + seed % 3,), (seed,), (granularity,), ("exact",)))
    assert report.same, render_details(report)


@pytest.mark.parametrize("seed", range(4))
def test_random_operations_on_files(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed, "syscall")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 160))
def test_more_random_operations_on_files(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed, ("syscall", "step")[seed % 2])
