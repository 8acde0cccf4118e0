import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cluster.rundir import RunDir, RunDirError, git_state, versions, write_atomically


def started(base: Path, name: str = "storm") -> RunDir:
    run = RunDir.create(base, name)
    run.start(name=name, config={"machine": {"cpus": 8}}, seed=42, command=["smplab", "run"])
    return run


def test_a_run_directory_says_from_the_start_that_it_is_partial(tmp_path: Path) -> None:
    manifest = RunDir.open(started(tmp_path / "runs").path).manifest()
    assert manifest["complete"] is False
    assert manifest["finished"] is None
    assert manifest["config"] == {"machine": {"cpus": 8}}
    assert (manifest["seed"], manifest["command"]) == (42, ["smplab", "run"])
    assert manifest["versions"]["msgpack"] and manifest["versions"]["python"]
    assert manifest["host"]["cpus"] == os.cpu_count()


def test_a_finished_run_is_complete_and_says_how_it_ended(tmp_path: Path) -> None:
    run = started(tmp_path)
    run.write_summary({"b": 1, "a": 2}, "sha256:00")
    run.finish(exit_kind="done", exit_code=0)
    manifest = run.manifest()
    assert (manifest["complete"], manifest["exit_kind"], manifest["exit_code"]) == (True, "done", 0)
    assert manifest["finished"] >= manifest["started"]
    assert run.summary() == {"a": 2, "b": 1, "digest": "sha256:00"}


def test_an_interrupted_run_keeps_what_it_has_and_stays_partial(tmp_path: Path) -> None:
    run = started(tmp_path)
    run.finish(exit_kind="interrupted", exit_code=130, complete=False)
    assert run.manifest()["complete"] is False
    with pytest.raises(RunDirError, match=r"has no summary\.json: the run did not get that far"):
        run.summary()


def test_no_two_runs_share_a_directory(tmp_path: Path) -> None:
    paths = [RunDir.create(tmp_path, "storm").path for _ in range(5)]
    assert len(set(paths)) == 5
    assert all(path.name.split("-", 2)[2].startswith("storm") for path in paths)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a/b c", "a-b-c"), ("../..", "run"), ("", "run"), ("-x.", "x"), ("ü", "run")],
)
def test_a_name_becomes_a_file_name(tmp_path: Path, name: str, expected: str) -> None:
    path = RunDir.create(tmp_path, name).path
    assert path.parent == tmp_path
    assert path.name.split("-", 2)[2] == expected


def test_a_run_in_which_nobody_wrote_has_no_outputs_and_no_file_of_them(tmp_path: Path) -> None:
    run = started(tmp_path)
    with run.outputs() as reader:
        assert (reader.outputs, reader.complete) == ([], True)
    assert [path.name for path in run.path.iterdir()] == ["manifest.json"]


def test_a_failed_write_leaves_the_old_content_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(fd: int) -> None:
        raise OSError("disk on fire")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk on fire"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_of_the_same_number_left_is_not_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (tmp_path / f".file.{os.getpid()}.tmp").write_bytes(b"a part that is longer")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_run_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunDirError, match="is no directory"):
        RunDir.open(tmp_path / "missing")
    with pytest.raises(RunDirError, match=r"it has no manifest\.json"):
        RunDir.open(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_damaged_manifest_is_named(tmp_path: Path, content: bytes) -> None:
    run = started(tmp_path)
    (run.path / "manifest.json").write_bytes(content)
    with pytest.raises(RunDirError, match=r"manifest\.json is damaged"):
        run.manifest()


def test_json_files_are_the_same_for_the_same_data(tmp_path: Path) -> None:
    run = started(tmp_path)
    run.write_summary({"b": {"d": 1, "c": 2}}, "x")
    first = (run.path / "summary.json").read_bytes()
    run.write_summary({"b": {"c": 2, "d": 1}}, "x")
    assert (run.path / "summary.json").read_bytes() == first
    assert json.loads(first)["b"] == {"c": 2, "d": 1}


def test_versions_name_the_packages_a_result_depends_on() -> None:
    assert sorted(versions()) == ["msgpack", "python", "ray", "smplab"]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_state_is_of_the_checkout_the_program_runs_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True
        )

    source = tmp_path / "source.py"
    source.write_text("a")
    assert git_state(source) is None
    git("init", "-q")
    assert git_state(source) is None  # inside a checkout, but not part of it
    git("add", "source.py")
    git("commit", "-q", "-m", "first")
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # as in a hook of another repository
    state = git_state(source)
    assert state is not None and len(state["commit"]) == 40 and state["dirty"] is False
    source.write_text("b")
    state = git_state(source)
    assert state is not None and state["dirty"] is True


@pytest.mark.parametrize("text", ["{}", '{"digest": 3}'])
def test_a_summary_without_a_digest_is_damaged(tmp_path, text):
    (tmp_path / "summary.json").write_text(text, "utf-8")
    with pytest.raises(RunDirError, match=r"summary\.json is damaged: it has no digest"):
        RunDir(tmp_path).summary()
