"""Where quick forms are kept: one build for each version of the source, made when it is wanted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.core import forms

ROOT = Path(__file__).resolve().parents[3]

SOURCE = """
from kernel.points import POINT, Path


def plain(k, n: int = 0) -> Path[int]:
    yield "plain.point", POINT, None
    return n
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree whose package has one path."""
    (tmp_path / "kernel").mkdir()
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "kernel" / "__init__.py").write_text("")
    (tmp_path / "kernel" / "here.py").write_text(SOURCE)
    return tmp_path


def test_an_edit_makes_another_build_and_going_back_finds_the_first(tree: Path):
    first = forms.ensure(tree)
    assert first is not None
    assert "plain__quick" in (first / "kernel" / "here.py").read_text()
    assert forms.ensure(tree) == first
    source = tree / "kernel" / "here.py"
    before = source.read_text()
    source.write_text(before.replace("return n", "return 2"))
    second = forms.ensure(tree)
    assert second is not None and second != first
    assert "return 2" in (second / "kernel" / "here.py").read_text()
    source.write_text(before)
    assert forms.ensure(tree) == first


def test_an_edit_that_leaves_size_and_time_alone_is_seen(tree: Path):
    first = forms.ensure(tree)
    source = tree / "kernel" / "here.py"
    times = source.stat()
    source.write_text(source.read_text().replace("return n", "return 3"))
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert forms.ensure(tree) != first


def test_old_builds_go_when_a_new_one_is_made(tree: Path):
    builds = forms.builds_dir(tree)
    old, recent = builds / "old", builds / "recent"
    old.mkdir(parents=True)
    recent.mkdir()
    os.utime(old, (0, 0))
    new = forms.ensure(tree)
    assert new is not None and new.is_dir()
    assert (old.exists(), recent.exists()) == (False, True)


def test_a_source_that_breaks_a_rule_has_no_build_and_the_reason_is_told(tree: Path):
    (tree / "kernel" / "bad.py").write_text("def f(x) -> Path:\n    yield from ()\n")
    assert forms.ensure(tree) is None
    assert "kernel/bad.py:1:1: the first parameter of f is not k" in forms.why_not(tree)


def test_where_nothing_can_be_written_there_is_none(tree: Path):
    (tree / "build").write_text("a file")
    assert forms.ensure(tree) is None
    assert forms.why_not(tree)


def test_several_processes_may_make_it_at_once(tree: Path):
    command = (
        "import sys; from pathlib import Path; from cluster.core import forms; "
        "print(forms.ensure(Path(sys.argv[1])))"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", command, str(tree)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for _ in range(3)
    ]
    answers = {run.communicate()[0].strip() for run in runs}
    assert len(answers) == 1
    assert Path(answers.pop()).is_dir()
    left = [path.name for path in forms.builds_dir(tree).iterdir() if path.name.startswith("tmp")]
    assert left == []
