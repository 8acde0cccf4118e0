"""Compiled programs on disk: the same programs, and never those of another text or version."""

import marshal
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.engine_api import RunRequest
from cluster.local_engine import LocalRun
from workloads.language import compiler, guest_libraries, kept_programs
from workloads.language.program import Program

PROGRAMS = Path(__file__).resolve().parents[3] / "workloads" / "programs"
NAMES = ("bin_sh", "bin_ls", "fork_exec_storm", "prefork_server", "thread_group_exit")
FAILS = """import os

def inner(values):
    return values["a"] + {1, 2} - {len(x) for x in values}

print(os.getpid(), flush=True)
inner({"b": 1})
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which programs are kept while the test runs."""
    monkeypatch.setattr(kept_programs, "_folder", None)
    kept_programs.keep_in(tmp_path / "kept")
    _forget()
    yield tmp_path / "kept"
    _forget()


def _forget() -> None:
    """Forget what this process has compiled or read."""
    compiler._compiled.cache_clear()
    guest_libraries._compiled.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_of_a_program_is_all_of_it(name: str) -> None:
    source = (PROGRAMS / f"{name}.py").read_text("utf-8")
    plain = compiler._made(source, name).to_plain()
    again = marshal.loads(marshal.dumps(plain))
    assert again == plain
    program = Program.from_plain(name, source, again)
    assert program.to_plain() == plain
    assert program.lines == source.splitlines()


def _run(folder: Path) -> tuple[str, dict[str, bytes]]:
    _forget()
    program = folder.parent / "fails.py"
    program.write_text(FAILS)
    result = LocalRun(RunRequest(guest_spec(program, [], cpus=2))).run()
    return result.digest, result.outputs


def test_a_program_that_was_kept_runs_as_one_that_is_compiled(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _run(folder)
    assert any(folder.iterdir())

    def compiled(*_: object) -> Program:
        raise AssertionError("it was kept")

    monkeypatch.setattr(compiler, "_made", compiled)
    monkeypatch.setattr(Program, "compile", compiled)
    assert _run(folder) == first
    assert b"KeyError" in first[1]["fails.py.stderr"]  # with the lines and the marks of the source


def test_another_text_or_path_is_another_program(folder: Path) -> None:
    kept_programs.save("a = 1\n", "a.py", (1,))
    assert kept_programs.load("a = 1\n", "a.py") == (1,)
    assert kept_programs.load("a = 2\n", "a.py") is None
    assert kept_programs.load("a = 1\n", "b.py") is None


def test_another_version_of_the_language_does_not_find_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_programs.save("a = 1\n", "a.py", (1,))
    monkeypatch.setattr(kept_programs, "_language", lambda: b"another")
    assert kept_programs.load("a = 1\n", "a.py") is None


@pytest.mark.parametrize("cut", [0, 10, 30, 60])
def test_a_damaged_file_is_not_read(folder: Path, cut: int) -> None:
    kept_programs.save("a = 1\n", "a.py", ("x" * 50,))
    (file,) = folder.iterdir()
    data = file.read_bytes()
    file.write_bytes(data[:cut])
    assert kept_programs.load("a = 1\n", "a.py") is None
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert kept_programs.load("a = 1\n", "a.py") is None


def test_a_folder_that_others_may_write_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_programs, "_folder", None)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    kept_programs.keep_in(shared)
    kept_programs.save("a = 1\n", "a.py", (1,))
    assert list(shared.iterdir()) == []


def test_the_older_half_goes_when_there_are_too_many(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_programs, "_MOST", 4)
    for number in range(5):
        kept_programs.save(str(number), "a.py", (number,))
        newest = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (number, number))
    found = [kept_programs.load(str(number), "a.py") for number in range(5)]
    assert found[0] is None and found[4] == (4,)
    assert sum(one is None for one in found) == 2
