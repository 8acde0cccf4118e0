"""``smplab run`` tells what programs printed, in a few lines, and how busy each CPU was."""

from pathlib import Path

import pytest

from cluster.cli.main import run_command
from cluster.cli.run import first_lines
from cluster.outputs import OutputWriter
from cluster.rundir import RunDir


def written(tmp_path: Path, *pieces: tuple[str, bytes]) -> RunDir:
    directory = RunDir.create(tmp_path, "run")
    directory.start(name="run", config={}, seed=1)
    writer = OutputWriter(directory.path / "outputs.smpo")
    for name, data in pieces:
        writer.append(name, data)
    writer.close()
    return directory


def test_the_first_whole_lines_of_each_program_are_shown_escaped(tmp_path: Path) -> None:
    directory = written(
        tmp_path,
        ("a.stdout", b"one\ntw"),
        ("b.stderr", b"not here\n"),
        ("b.stdout", b"\x1b[31mred\r\n"),
        ("a.stdout", b"o\nthree\n"),
        ("c.stdout", b"no end"),
    )
    lines, more = first_lines(directory, 8, 3)
    assert lines == ["a: one", "b: \\x1b[31mred\\r", "a: two", "a: three", "c: no end"]
    assert not more
    assert first_lines(directory, 8, 1) == (["a: one", "b: \\x1b[31mred\\r", "c: no end"], True)
    assert first_lines(directory, 2, 3) == (["a: one", "b: \\x1b[31mred\\r"], True)


def test_without_output_there_is_nothing_to_show(tmp_path: Path) -> None:
    assert first_lines(written(tmp_path), 8, 3) == ([], False)


@pytest.mark.parametrize(
    ("cpus", "heading", "rows"), [(2, "CPU  ", 2), (12, "CPUs busy, %", 2), (300, "CPUs busy ", 1)]
)
def test_a_run_shows_output_and_the_use_of_each_cpu_in_80_columns(
    cpus: int,
    heading: str,
    rows: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.py").write_text("print('hello ' * 40)\n")
    Path("c.yaml").write_text(
        f"machine: {{cpus: {cpus}, pid_max: 32768}}\n"
        "workloads: [{program: ./p.py, instances: 12}]\n"
    )
    assert run_command(["run", "c.yaml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    start = lines.index("Output")
    assert lines[start + 1].startswith("p-0: hello hello")
    assert lines[start + 9].startswith("… (all of it: smplab output runs/")
    [place] = [number for number, line in enumerate(lines) if line.startswith(heading)]
    assert lines[place : place + rows + 2].index("") == rows + 1
