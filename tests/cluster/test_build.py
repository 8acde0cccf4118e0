"""From a config to a machine: the file tree, the programs and the processes."""

import stat
from pathlib import Path

import msgpack
import pytest

from cluster.build import (
    PYTHON,
    default_pid_max,
    guest_spec,
    image_source,
    resolve,
    tree_path,
)
from cluster.catalogue import program_names
from cluster.cli.common import check_programs
from cluster.config import ConfigError, parse_config
from cluster.exit_codes import CliError
from kernel.machine import MachineSpec


def machine(text: str, folder: Path = Path(".")) -> MachineSpec:
    return resolve(parse_config("c.yaml", text, folder))


def test_a_shipped_program_runs_as_a_script_with_its_parameters() -> None:
    spec = machine(
        "workloads:\n"
        "  - {program: cow_touch, params: {pages: 8, kind: shared}, instances: 3, start: 1ms,"
        " every: 50us, env: {A: b}}\n"
    )
    [spawn] = spec.spawns
    path = "/usr/share/smplab/cow_touch.py"
    assert spawn.path == path
    assert spawn.argv == (path, "pages=8", "kind=shared")
    assert (spawn.count, spawn.start_ns, spawn.every_ns) == (3, 1_000_000, 50_000)
    assert spawn.env == (("A", "b"),)
    assert spec.files[path].image is not None
    assert spec.files[path].mode == 0o755
    assert spec.files[path].content.decode() == f"#!{PYTHON}\n{spec.sources[path]}"


def test_every_machine_has_the_built_in_images_and_python() -> None:
    spec = machine("workloads: [{program: cow_touch}]")
    for name in ("true", "false", "sleep", "echo", "cat", "kill", "sh"):
        for folder in ("/bin", "/usr/bin"):
            image = spec.files[f"{folder}/{name}"].image
            assert image is not None
            assert image.program in spec.sources
    python = spec.files[PYTHON].image
    assert python is not None
    assert python.program == "python3"


def test_workloads_of_the_same_program_have_labels_of_their_own() -> None:
    spec = machine("workloads: [{program: cow_touch}, {program: cow_touch}]")
    assert [spawn.label for spawn in spec.spawns] == ["cow_touch", "cow_touch.2"]


def test_a_program_given_by_path_comes_with_the_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text("print(1)\n")
    (tmp_path / "other.py").write_text("print(2)\n")
    (tmp_path / "other.py").chmod(0o755)
    (tmp_path / "notes.txt").write_text("no program\n")
    spec = machine("workloads: [{program: ./prog.py}]", tmp_path)
    assert spec.spawns[0].argv == ("/srv/prog.py",)
    assert spec.spawns[0].cwd == "/srv"
    assert spec.files["/srv/prog.py"].mode == 0o755
    assert spec.files["/srv/other.py"].mode == 0o755
    assert "/srv/notes.txt" not in spec.files


@pytest.mark.parametrize("first", ["#!/usr/bin/env python3\n", "#! /opt/python3.11 -u\r\n", ""])
def test_an_installed_program_names_the_interpreter_itself(first: str, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_bytes(f"{first}print(1)\n".encode())
    spec = machine("workloads: [{program: ./prog.py}]", tmp_path)
    assert spec.files["/srv/prog.py"].content == b"#!/usr/bin/python3\nprint(1)\n"
    assert spec.sources["/srv/prog.py"] == f"{first}print(1)\n"


def test_an_empty_file_of_the_folder_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text("print(1)\n")
    (tmp_path / "empty.py").write_text("")
    assert (
        machine("workloads: [{program: ./prog.py}]", tmp_path).files["/srv/empty.py"].image is None
    )


def test_where_a_config_lies_does_not_change_the_machine(tmp_path: Path) -> None:
    specs = []
    for name in ("here", "there"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "prog.py").write_text("print(1)\n")
        specs.append(machine("workloads: [{program: prog.py}]", folder))
    assert specs[0] == specs[1]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("p.py", "/srv/p.py"),
        ("./a/../p.py", "/srv/p.py"),
        ("../a/p.py", "/srv/up/a/p.py"),
        ("/opt/p.py", "/opt/p.py"),
    ],
)
def test_a_program_path_has_one_place_in_the_tree(name: str, path: str) -> None:
    assert tree_path(name) == path


def test_a_declared_image_is_a_program_that_runs_and_exits_as_declared() -> None:
    spec = machine(
        "images:\n"
        "  job: {text_pages: 100, bss_pages: 7, running_time: 2ms, exit_code: 3}\n"
        "  /opt/storm: {program: fork_exec_storm}\n"
        "workloads: [{program: fork_exec_storm, params: {image: /usr/bin/job}}]\n"
    )
    image = spec.files["/usr/bin/job"].image
    assert image is not None
    assert (image.text_pages, image.bss_pages) == (100, 7)
    assert spec.sources[image.program] == image_source(2_000_000, 3)
    other = spec.files["/opt/storm"].image
    assert other is not None
    assert spec.sources[other.program].startswith('"""Fork-exec storm')


def test_a_declared_image_may_replace_a_built_in_one() -> None:
    spec = machine("images: {/bin/true: {exit_code: 9}}\nworkloads: [{program: cow_touch}]")
    image = spec.files["/bin/true"].image
    assert image is not None
    assert image.program == "image:/bin/true"


def test_costs_come_from_the_profile_with_the_configs_values_on_top() -> None:
    spec = machine("costs: {values: {copy_page: 999}}\nworkloads: [{program: cow_touch}]")
    assert spec.costs.copy_page == 999
    assert spec.costs.zero_page == MachineSpec().costs.zero_page


@pytest.mark.parametrize(
    ("cpus", "linux", "pid_max"),
    [(8, "6.12", 32768), (64, "6.12", 65536), (4096, "6.12", 4194304), (64, "2.6.34", 32768)],
)
def test_pid_max_is_by_default_what_the_kernel_boots_with(
    cpus: int, linux: str, pid_max: int
) -> None:
    assert default_pid_max(cpus, linux) == pid_max


def test_a_machine_survives_the_way_to_an_actor() -> None:
    spec = machine("workloads: [{program: cow_touch, env: {A: b}}]")
    assert MachineSpec.from_plain(msgpack.unpackb(msgpack.packb(spec.to_plain()))) == spec


def test_a_guest_program_is_at_its_place_on_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "prog.py").write_text("print(1)\n")
    monkeypatch.chdir(tmp_path)
    spec = guest_spec(Path("bin/prog.py"), ["--x", "y"], cpus=64)
    [spawn] = spec.spawns
    assert spawn.argv == ("python3", "bin/prog.py", "--x", "y")
    assert spawn.cwd == str(tmp_path)
    assert f"{tmp_path}/bin/prog.py" in spec.sources
    assert spec.pid_max == 65536


def test_the_folder_a_guest_starts_in_exists_even_if_it_holds_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "prog.py").write_text("print(1)\n")
    monkeypatch.chdir(tmp_path / "empty")
    spec = guest_spec(Path("../prog.py"), [])
    assert stat.S_ISDIR(spec.files[f"{tmp_path}/empty"].mode)
    monkeypatch.chdir("/")
    assert "/" not in guest_spec(tmp_path / "prog.py", []).files


def test_a_guest_program_that_is_not_there_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.py: No such file or directory"):
        guest_spec(tmp_path / "nowhere.py", [])


def test_a_program_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_bytes(b"import os\n  \xff\xfe\n\xfe")
    spec = machine("workloads: [{program: prog.py}]", tmp_path)
    with pytest.raises(CliError) as caught:
        check_programs(spec, {})
    assert caught.value.kind == "guest program"
    assert caught.value.message.splitlines() == [
        "/srv/prog.py:2:3: not UTF-8 text (byte 0xff); save the file as UTF-8",
        "/srv/prog.py:3:1: not UTF-8 text (byte 0xfe); save the file as UTF-8",
    ]


def test_images_and_guests_are_not_listed_as_programs() -> None:
    names = program_names()
    assert "fork_exec_storm" in names
    assert not [name for name in names if name.startswith("bin_")]
