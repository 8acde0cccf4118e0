"""smplab as a wheel installs it: no source tree, configurations by name, a cache for the core."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cluster import fast_core

ROOT = Path(__file__).resolve().parents[2]
SHIM = """\
import sys
from workloads import guest

guest.say(f"{guest.gettid() > 0} {sys.argv[1:]}")
sys.exit(7)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a wheel brings, where pyproject.toml says it goes."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]
    folder = tmp_path_factory.mktemp("site")
    for package in wheel["packages"]:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for source, place in wheel["force-include"].items():
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, folder / place)
    return folder


def smplab(
    installed: Path, folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != fast_core.VARIABLE}
    return subprocess.run(
        [sys.executable, "-m", "cluster.entry", *arguments],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(installed), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_shipped_configuration_runs_by_its_name(installed: Path, tmp_path: Path) -> None:
    done = smplab(installed, tmp_path, "run", "cow_touch", "--quiet", "--set", "machine.cpus=2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("digest sha256:")


def test_it_is_imported_by_its_name(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import smplab; print(smplab.__file__, smplab.run.__module__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{installed / 'smplab.py'} cluster.api.run\n"


def test_only_what_an_extra_is_for_needs_it(installed: Path, tmp_path: Path) -> None:
    absent = "numpy pyarrow matplotlib textual IPython pandas"
    for name in absent.split():
        (tmp_path / "absent" / name).mkdir(parents=True)
        (tmp_path / "absent" / name / "__init__.py").write_text(
            f"raise ModuleNotFoundError('No module named {name}', name='{name}')\n"
        )
    script = (
        "import smplab\n"
        "from cluster.cli.main import run_command\n"
        "config = {'machine': {'cpus': 1}, 'workloads': [{'program': 'cow_touch'}]}\n"
        "run = smplab.run(config, engine='local')\n"
        "for name in ('jsonl', 'parquet'):\n"
        "    print(run_command(['export', str(run.path), '-f', name, '-o', f'out.{name}']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path / 'absent'}:{installed}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.sub(r" .*records.*", "", done.stdout).split() == ["out.jsonl:", "0", "2"]
    assert done.stderr == (
        "smplab: cannot export: parquet needs pyarrow (No module named pyarrow): "
        "pip install 'smplab[data]'\n"
    )


def test_a_program_finds_its_native_form(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "shim.py").write_text(SHIM)
    done = smplab(installed, tmp_path, "native", "shim.py", "a", "-u")
    assert (done.returncode, done.stdout, done.stderr) == (7, "True ['a', '-u']\n", "")


def test_a_native_program_sees_only_the_callers_environment(tmp_path: Path) -> None:
    (tmp_path / "env.py").write_text("import os\nprint(sorted(os.environ))\n")
    wanted = {"PATH": os.environ["PATH"], "LC_CTYPE": "C.UTF-8", "MINE": "1"}
    command = [sys.executable, "-m", "cluster.entry", "native", "env.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=wanted, capture_output=True, text=True, check=True
    )
    assert set(eval(done.stdout)) - {"PYTHONPATH"} == set(wanted)


def test_a_missing_program_is_one_line(installed: Path, tmp_path: Path) -> None:
    done = smplab(installed, tmp_path, "native", "nothing.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "smplab: usage: nothing.py: no such file\n"


def test_the_compiled_core_of_an_installed_package_goes_to_the_users_cache(
    installed: Path, tmp_path: Path
) -> None:
    script = (
        "from cluster import fast_core\n"
        "build = fast_core.builds_dir() / fast_core.key()\n"
        "build.mkdir(parents=True)\n"
        "print(build, fast_core.find() == build)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,  # not the source tree, which would come first
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    [build, found] = done.stdout.split()
    assert Path(build).parent == tmp_path / "smplab" / "fast"
    assert found == "True"


def test_without_a_compiler_compile_says_so(installed: Path, tmp_path: Path) -> None:
    environment = {"CC": "no-such-compiler", "XDG_CACHE_HOME": str(tmp_path)}
    done = smplab(installed, tmp_path, "compile", **environment)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("smplab: not compiled: ")
    assert not list(tmp_path.glob("smplab/fast/*"))


def test_a_shell_completes_commands_configurations_and_runs(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "runs" / "20261128-120000-storm").mkdir(parents=True)

    def complete(*words: str) -> list[str]:
        done = smplab(
            installed,
            tmp_path,
            _SMPLAB_COMPLETE="complete_bash",
            COMP_WORDS=" ".join(["smplab", *words]),
            COMP_CWORD=str(len(words)),
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    assert complete("pstr") == ["pstree"]
    assert complete("run", "storm") == ["storm_100k"]
    assert complete("ps", "") == ["latest", "runs/20261128-120000-storm"]
    assert complete("run", "somewhere/") == []
