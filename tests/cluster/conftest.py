"""What tests of the compiled core share."""

import subprocess
import sys
from pathlib import Path

import pytest

from cluster import fast_core
from cluster.compile_core import CannotCompile, check_tools

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def compiled_tree() -> Path:
    """This tree, with its compiled core; it is built if that has not been done."""
    try:
        check_tools()
    except CannotCompile as missing:
        pytest.skip(str(missing))
    subprocess.run([sys.executable, "-m", "cluster.compile_core"], check=True, cwd=ROOT)
    assert fast_core.find() is not None, "the sources have been edited meanwhile"
    return ROOT
