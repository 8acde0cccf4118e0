"""The wheels: what pip installs of them runs, outside the tree, and says which core it has."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from cluster import fast_core
from cluster.make_wheels import CannotBuild, compiled_wheel, main, pure_wheel, wheels

pytestmark = pytest.mark.slow

TAG = f"cp311-cp311-{sysconfig.get_platform().replace('-', '_')}"


@pytest.fixture(scope="module")
def pure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # hatchling is one of the packages for development: nothing is fetched
    return pure_wheel(tmp_path_factory.mktemp("pure"), "--no-build-isolation")


def install(wheel: Path, folder: Path) -> Path:
    """Let pip put a wheel, without what it depends on, into a folder of its own."""
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(site), str(wheel)], check=True)
    return site


def smplab(site: Path, folder: Path, *words: str, core: str) -> str:
    """Run a command of what is installed there; return what it prints."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(site),
        "XDG_CACHE_HOME": str(folder / "cache"),
        fast_core.VARIABLE: core,
    }
    done = subprocess.run(
        [sys.executable, "-m", "cluster.entry", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def _copied(pure: Path, out: Path) -> Path:
    copy = out / pure.name
    copy.write_bytes(pure.read_bytes())
    return copy


RUN = ("run", "cow_touch", "--engine", "local", "--quiet", "--set", "machine.cpus=2")


def test_the_pure_wheel_runs_a_shipped_configuration(pure: Path, tmp_path: Path) -> None:
    site = install(pure, tmp_path)
    assert smplab(site, tmp_path, *RUN, core="auto").startswith("digest sha256:")
    assert "core: pure" in smplab(site, tmp_path, "--version", core="auto")


def test_the_wheel_holds_every_file_of_the_packages(pure: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "cluster", "kernel", "workloads"],
        cwd=fast_core.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a clone")
    held = {*zipfile.ZipFile(pure).namelist(), "cluster/toplevel/smplab.py"}
    assert "smplab.py" in held  # which the build puts beside the packages
    assert [path for path in listed.stdout.split() if path not in held] == []


def test_a_compiled_wheel_brings_its_core_along(
    pure: Path, compiled_tree: Path, tmp_path: Path
) -> None:
    assert compiled_tree == fast_core.ROOT
    root = fast_core.find()
    assert root is not None
    (tmp_path / "out").mkdir()
    wheel = compiled_wheel(pure, root, TAG, tmp_path / "out")
    assert wheel.name.endswith(f"-{TAG}.whl")
    site = install(wheel, tmp_path)
    assert "core: compiled" in smplab(site, tmp_path, "--version", core="compiled")
    digest = smplab(site, tmp_path, *RUN, core="compiled")
    assert digest == smplab(site, tmp_path, *RUN, core="pure")
    assert not (tmp_path / "cache" / "smplab" / "fast" / root.name).exists()


def test_without_an_interpreter_the_other_wheels_are_built(
    pure: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.make_wheels.pure_wheel", lambda out: _copied(pure, out))
    refused, made = wheels(tmp_path / "dist", ["no-such-python"])
    assert isinstance(refused, CannotBuild)
    assert str(refused) == "no-such-python: no-such-python: No such file or directory"
    assert made == tmp_path / "dist" / pure.name
    assert [path.name for path in (tmp_path / "dist").iterdir()] == [pure.name]


def test_the_compiler_is_told_places_that_hold_in_its_folder_too(
    pure: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []

    def compile_for(python: str, made: Path, folder: Path) -> tuple[Path, str]:
        folders.extend((made, folder))
        raise CannotBuild("not now")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cluster.make_wheels.pure_wheel", lambda out: _copied(pure, out))
    monkeypatch.setattr("cluster.make_wheels.compile_for", compile_for)
    assert len(list(wheels(Path("dist"), ["python3"]))) == 2
    assert [path.is_absolute() for path in folders] == [True, True]


def test_a_wheel_that_was_asked_for_and_is_not_there_is_an_error(
    pure: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("cluster.make_wheels.pure_wheel", lambda out: _copied(pure, out))
    assert main(["-o", str(tmp_path), "no-such-python"]) == 1
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / pure.name}\n"
    assert captured.err == (
        "not built: no-such-python: no-such-python: No such file or directory\n"
    )
