"""What stands at the top of the repository, and that nothing large was committed by mistake."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP = (
    ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md",
    "cluster", "configs", "docs", "kernel", "pyproject.toml", "tests", "workloads",
)  # fmt: skip
#: bytes; the largest file that is meant to be here is a fraction of it
LARGEST = 1 << 20


def tracked() -> list[str]:
    """Paths that git knows, from the top."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [path for path in listed.stdout.split("\0") if path]


def test_nothing_stands_at_the_top_without_a_decision() -> None:
    assert sorted({path.split("/")[0] for path in tracked()}) == sorted(TOP)


def test_no_file_is_larger_than_a_file_of_text_can_be() -> None:
    large = [path for path in tracked() if (ROOT / path).lstat().st_size > LARGEST]
    assert large == []
