"""``smplab litmus``."""

import json
from pathlib import Path

import pytest

from cluster.cli.main import run_command as main

SB = """C SB

(* Result: {result} *)

{{}}

P0(int *x, int *y) {{ WRITE_ONCE(*x, 1); {fence} int r0 = READ_ONCE(*y); }}
P1(int *x, int *y) {{ WRITE_ONCE(*y, 1); {fence} int r0 = READ_ONCE(*x); }}

exists (0:r0=0 /\\ 1:r0=0)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "weak.litmus").write_text(SB.format(result="Sometimes", fence=""))
    (tmp_path / "strong.litmus").write_text(SB.format(result="Never", fence="smp_mb();"))
    return tmp_path


def test_a_file_is_answered_as_herd7_does(folder, capsys):
    assert main(["litmus", str(folder / "weak.litmus")]) == 0
    assert capsys.readouterr().out == (
        "Test SB Allowed\nStates 4\n0:r0=0; 1:r0=0;\n0:r0=0; 1:r0=1;\n0:r0=1; 1:r0=0;\n"
        "0:r0=1; 1:r0=1;\nOk\nWitnesses\nPositive: 1 Negative: 3\n"
        "Condition exists (0:r0=0 /\\ 1:r0=0)\nObservation SB Sometimes 1 3\n\n"
    )


def test_runs_by_chance_are_answered_as_litmus7_does_and_the_seed_decides(folder, capsys):
    command = ["litmus", str(folder / "weak.litmus"), "--model", "tso", "--runs", "200"]
    texts = []
    for seed in ("1", "1", "2"):
        assert main([*command, "--seed", seed]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != texts[2]
    lines = texts[0].splitlines()
    assert lines[:2] == ["Test SB Allowed", "Histogram (4 states)"]
    assert lines[2].split("*>")[1] == "0:r0=0; 1:r0=0;"
    assert sum(int(line.split()[0].rstrip("*:>")) for line in lines[2:6]) == 200
    assert "is validated" in texts[0]


def test_a_folder_is_a_line_for_each_test_for_any_number_of_processes(folder, capsys):
    texts = []
    for jobs in ("1", "2"):
        assert main(["litmus", str(folder), "--jobs", jobs]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert texts[0].splitlines() == [
        "Never      Result: Never      same       SB",
        "Sometimes  Result: Sometimes  same       SB",
        "2 tests: 1 Never, 1 Sometimes",
        "against their comments: 2 same, 0 different, 0 not shown, 0 not compared",
    ]


def test_a_verdict_that_is_not_the_one_in_the_comment_ends_with_1(folder, capsys):
    (folder / "weak.litmus").write_text(SB.format(result="Never", fence=""))
    assert main(["litmus", str(folder)]) == 1
    assert "1 of 2 verdicts are not as expected" in capsys.readouterr().err


def test_a_machine_may_be_stronger_than_the_model_but_not_weaker(folder, capsys):
    assert main(["litmus", str(folder), "--model", "sc"]) == 0
    assert "0 different, 1 not shown" in capsys.readouterr().out
    (folder / "weak.litmus").write_text(SB.format(result="Never", fence=""))
    assert main(["litmus", str(folder), "--model", "tso"]) == 1


def test_json_has_everything(folder, capsys):
    assert main(["litmus", str(folder / "strong.litmus"), "--json", "--model", "weak"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["model"], row["observation"]) == ("SB", "weak", "Never")
    assert (row["expected"], row["agreement"], row["ok"]) == ("Never", "same", False)
    assert [each["state"] for each in row["states"]] == [
        "0:r0=0; 1:r0=1;",
        "0:r0=1; 1:r0=0;",
        "0:r0=1; 1:r0=1;",
    ]


def test_all_that_is_wrong_is_told_with_its_place_and_the_rest_is_done(folder, capsys):
    (folder / "bad.litmus").write_text("C B\n{}\nP0(int *x) {\n smp_mbb();\n}\nexists (x=1)\n")
    (folder / "worse.litmus").write_bytes(b"\xff\xfe\x00")
    assert main(["litmus", str(folder), str(folder / "no.litmus")]) == 2
    output = capsys.readouterr()
    assert "2 tests: 1 Never, 1 Sometimes" in output.out
    bad, worse, missing = output.err.splitlines()
    assert bad.startswith(f"smplab: litmus: {folder}/bad.litmus:4:2: smp_mbb() is not a primitive")
    assert worse.startswith(f"smplab: litmus: {folder}/worse.litmus:1:1: expected 'C'")
    assert missing == f"smplab: litmus: {folder}/no.litmus: No such file or directory"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a file or a folder"),
        (["f", "--model", "x86"], "expected sc, tso, pso, arm, weak, lkmm, found 'x86'"),
        (["f", "--runs", "5"], "lkmm is axioms and does not run"),
        (["f", "--runs", "5", "--model", "sc", "--exhaustive"], "exclude each other"),
        (["--shapes", "MP+wmb"], "expected that many links"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments, message, capsys):
    assert main(["litmus", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_an_empty_folder_is_no_success(tmp_path, capsys):
    assert main(["litmus", str(tmp_path)]) == 2
    assert "found no file *.litmus" in capsys.readouterr().err


def test_the_classic_shapes_are_written_and_printed(tmp_path, capsys):
    assert main(["litmus", "--shapes", str(tmp_path / "s")]) == 0
    assert "96 tests" in capsys.readouterr().out
    assert len(list((tmp_path / "s").glob("*.litmus"))) == 96
    assert main(["litmus", "--shapes", "MP+wmb+rmb"]) == 0
    text = capsys.readouterr().out
    assert text == (tmp_path / "s" / "MP+wmb+rmb.litmus").read_text()
    assert main(["litmus", "--shapes"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 96


def test_an_unlock_too_many_is_flagged_and_a_file_may_expect_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """C nested
(* Result: Flag *)
{}
P0(int *x, struct srcu_struct *s)
{
    int r0;
    int r1;
    r0 = srcu_read_lock(s);
    r1 = READ_ONCE(*x);
    srcu_read_unlock(s, r0);
    UNLOCK
}
exists (0:r1=0)
"""
    for name, more, code in (("twice", "srcu_read_unlock(s, r0);", 0), ("once", "", 1)):
        file = tmp_path / f"{name}.litmus"
        file.write_text(text.replace("UNLOCK", more))
        assert main(["litmus", str(file)]) == code
        assert ("Flag multiple-srcu-matches" in capsys.readouterr().out) == (name == "twice")


def test_several_files_are_told_of_as_their_folder_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["litmus", str(folder)])
    told = capsys.readouterr().out
    main(["litmus", *map(str, sorted(folder.rglob("*.litmus")))])
    assert capsys.readouterr().out == told
