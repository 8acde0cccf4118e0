"""Which Python ``make setup`` takes: ``.ci/make_venv`` and the probe that it asks."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.scripts import script

CI = Path(__file__).resolve().parents[2] / ".ci"
MakePython = Callable[..., Path]


@pytest.fixture
def make_python(tmp_path: Path) -> MakePython:
    """Return ``make(folder, name, rank, venv)``: a program that answers as such a Python would."""

    def make(folder: str, name: str, rank: int | None, *, venv: bool = True) -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        answer = "exit 1" if rank is None else f"printf '{rank}\\t{path}\\tPython of {folder}\\n'"
        making = 'mkdir "$4"' if venv else "echo no ensurepip; exit 1"
        path.write_text(f'#!/bin/sh\nif [ "$1" = -I ]; then {answer}; else {making}; fi\n')
        path.chmod(0o755)
        return path

    return make


def made(tmp_path: Path, *folders: str) -> subprocess.CompletedProcess[str]:
    """Make an environment with these folders, and the system's without Python, as PATH."""
    tools = tmp_path / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("dirname", "sort", "tr", "mkdir"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    path = ":".join(str(tmp_path / folder) for folder in (*folders, "tools"))
    return subprocess.run(
        ["/bin/sh", str(CI / "make_venv"), str(tmp_path / "venv")],
        env={"PATH": path},
        capture_output=True,
        text=True,
    )


def test_the_best_python_is_taken_wherever_it_stands(
    tmp_path: Path, make_python: MakePython
) -> None:
    make_python("one", "python3.11", 6)
    make_python("two", "python3.11", 7)
    make_python("two", "python3", 3)
    done = made(tmp_path, "one", "two")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'venv'}: Python of two\n")
    assert (tmp_path / "venv").is_dir()


def test_among_equals_the_first_on_path_is_taken(tmp_path: Path, make_python: MakePython) -> None:
    make_python("one", "python3.11", 7)
    make_python("two", "python3.11", 7)
    assert made(tmp_path, "one", "two").stdout.endswith(": Python of one\n")


def test_a_machine_with_one_python_uses_it(tmp_path: Path, make_python: MakePython) -> None:
    make_python("a folder", "python3", 0)
    assert made(tmp_path, "a folder").stdout.endswith(": Python of a folder\n")


def test_a_python_that_fails_to_make_an_environment_gives_way_to_the_next(
    tmp_path: Path, make_python: MakePython
) -> None:
    make_python("one", "python3.11", 7, venv=False)
    make_python("two", "python3.12", 3)
    done = made(tmp_path, "one", "two")
    assert done.stdout.endswith(": Python of two\n")
    assert "no ensurepip" in done.stderr


def test_without_a_python_that_serves_it_says_what_is_needed(
    tmp_path: Path, make_python: MakePython
) -> None:
    make_python("one", "python3", None)
    done = made(tmp_path, "one")
    assert done.returncode == 1
    assert done.stderr == "smplab needs Python 3.11 or newer, with its module venv, on PATH\n"


@pytest.fixture
def probe() -> ModuleType:
    """The probe as a module."""
    return script(CI / "probe_python.py")


@pytest.mark.parametrize(
    ("variables", "prefix", "optimised"),
    [
        ({"CONFIG_ARGS": "'--enable-shared' '--enable-optimizations'"}, "/opt", True),
        ({"CONFIG_ARGS": "'--enable-shared'"}, "/opt", False),
        ({"PY_CORE_CFLAGS": "-O3 -fprofile-use -fprofile-correction"}, "/opt", True),
        ({"PY_CFLAGS_NODIST": "-fprofile-instr-use=code.profclangd"}, "/opt", True),
        ({"CONFIG_ARGS": "'--without-ensurepip'"}, "/usr", True),
        ({"CONFIG_ARGS": "'--enable-optimizations'", "Py_DEBUG": 1}, "/usr", False),
        ({}, "/opt", False),
    ],
)
def test_an_optimised_build_is_known_by_its_configuration(
    monkeypatch: pytest.MonkeyPatch,
    probe: ModuleType,
    variables: dict[str, object],
    prefix: str,
    optimised: bool,
) -> None:
    monkeypatch.setattr(probe.sysconfig, "get_config_var", variables.get)
    monkeypatch.setattr(probe.sysconfig, "get_config_vars", lambda: variables)
    monkeypatch.setattr(sys, "base_prefix", prefix)
    assert probe.is_optimised() is optimised


def test_the_probe_answers_with_rank_executable_and_words() -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(CI / "probe_python.py")], capture_output=True, text=True
    )
    rank, executable, words = done.stdout.rstrip("\n").split("\t")
    assert rank.isdecimal() and executable == sys.executable
    assert words.startswith("Python 3.") and "optimisations" in words
