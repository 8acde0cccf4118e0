"""``smplab race prove``: exit codes, checkpoints from call to call, certificates and checks."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.cli.main import run_command as main
from cluster.race.prove import Proof, holds
from cluster.race.run import Expected
from cluster.race.scenario import load_scenario

from .conftest import SESSION

CLOSE = str(Path(__file__).parents[3] / "configs" / "races" / "write_against_close.yaml")


def proved(capsys, code: int, *arguments: str) -> dict:
    assert main(["race", "prove", CLOSE, "--json", *arguments]) == code
    return json.loads(capsys.readouterr().out)


def test_a_kernel_without_mutations_is_certified_and_the_certificate_holds(tmp_path, capsys):
    paper = tmp_path / "certificate.json"
    data = proved(capsys, 0, "--unmutated", "--certificate", str(paper))
    assert data["complete"] and data["traces"] > 1 and data["bug"] is None
    assert data["granularity"] == "step" and data["memory_model"] == "sc"
    assert json.loads(paper.read_text())["hashes"] == data["hashes"]
    assert main(["race", "prove", CLOSE, "--unmutated", "--check", str(paper)]) == 0
    assert "the certificate holds" in capsys.readouterr().out


def test_a_certificate_of_something_else_is_refused(tmp_path, capsys):
    paper = tmp_path / "certificate.json"
    proved(capsys, 4, "--unmutated", "--most", "1", "--certificate", str(paper))

    def refused(*options: str) -> str:
        assert main(["race", "prove", CLOSE, "--check", str(paper), *options]) == 2
        return capsys.readouterr().err

    assert "nothing is certified" in refused("--unmutated")
    assert "of another scenario" in refused()
    assert "of another machine" in refused("--unmutated", "--cpus", "3")
    whole = json.loads(paper.read_text())
    whole["hashes"]["code"] = "00000000"
    paper.write_text(json.dumps(whole))
    assert "of other code" in refused("--unmutated")
    paper.write_text("[]")
    assert "no certificate" in refused("--unmutated")
    paper.write_text("{")
    assert "is no JSON" in refused("--unmutated")


def test_a_certificate_that_was_changed_is_refused(tmp_path, capsys):
    path = tmp_path / "session.py"
    path.write_text(SESSION)
    scenario = load_scenario(path).scenario
    said = Proof(scenario, "code", complete=True, traces=12, preemptions=1).certificate()
    whole = json.loads(json.dumps({**said, "seconds": 1.5, "bug": None}))  # as --json has it
    assert holds(whole, scenario, "code") == ""
    for key, value in (
        ("preemptions", None), ("traces", 1200), ("not_covered", []), ("memory_model", "tso"),
        ("checksum", None),
    ):  # fmt: skip
        assert "its checksum is wrong" in holds({**whole, key: value}, scenario, "code")
    del whole["unexplained"]
    assert "its checksum is wrong" in holds(whole, scenario, "code")
    part = Proof(scenario, "code", traces=12).certificate()
    assert "incomplete" in holds(part, scenario, "code")
    assert "its checksum is wrong" in holds({**part, "complete": True}, scenario, "code")


def test_a_certificate_is_no_more_one_when_runs_must_end_otherwise(tmp_path):
    path = tmp_path / "session.py"
    path.write_text(SESSION)
    scenario = load_scenario(path).scenario
    certificate = {**Proof(scenario, "code", complete=True).certificate(), "complete": True}
    assert holds(certificate, scenario, "code") == ""
    for other in (
        replace(scenario, expected=Expected((("session.py", 256),))),
        replace(scenario, most_steps=77),
    ):
        assert "of another scenario" in holds(certificate, other, "code")


def test_calls_that_go_on_from_checkpoints_end_as_one_call_does(tmp_path, capsys):
    kept = tmp_path / "checkpoint.json"
    whole = proved(capsys, 0, "--unmutated")
    part = proved(capsys, 4, "--unmutated", "--most", "9", "--checkpoint", str(kept))
    assert part["traces"] == 9 and not part["complete"]
    part = proved(capsys, 4, "--unmutated", "--most", "9", "--resume", str(kept))
    assert part["traces"] == 18
    part = proved(capsys, 0, "--unmutated", "--resume", str(kept))
    for what in ("traces", "blocked", "steps", "endings", "estimate", "complete"):
        assert part[what] == whole[what]


def test_a_checkpoint_that_is_none_or_of_something_else_is_a_usage_error(tmp_path, capsys):
    kept = tmp_path / "checkpoint.json"
    assert main(["race", "prove", CLOSE, "--resume", str(kept)]) == 2
    assert "--resume" in capsys.readouterr().err
    kept.write_text("[]")
    assert main(["race", "prove", CLOSE, "--resume", str(kept)]) == 2
    assert "no checkpoint of a proof" in capsys.readouterr().err
    proved(capsys, 4, "--unmutated", "--most", "2", "--checkpoint", str(kept))
    assert main(["race", "prove", CLOSE, "--resume", str(kept)]) == 2
    assert "of another scenario" in capsys.readouterr().err


@pytest.mark.slow
def test_a_proof_is_the_same_whoever_makes_the_runs(tmp_path, capsys):
    path = tmp_path / "session.py"
    path.write_text(SESSION)
    program = str(path)

    def data(*arguments: str) -> dict:
        assert main(["race", "prove", program, "--json", *arguments]) == 0
        found = json.loads(capsys.readouterr().out)
        return {name: value for name, value in found.items() if name != "seconds"}

    one = data()
    assert one["traces"] > 100  # several parts
    assert data("--jobs", "2") == one
    kept = str(tmp_path / "kept.json")
    options = ["--most", "70", "--jobs", "2", "--checkpoint", kept]
    assert main(["race", "prove", program, *options]) == 4
    capsys.readouterr()
    assert data("--resume", kept) == one


def test_time_that_ends_a_proof_is_exit_code_4(capsys):
    assert main(["race", "prove", CLOSE, "--unmutated", "--time", "0.001"]) == 4
    assert "not certified" in capsys.readouterr().out


def test_a_mutation_is_found_with_few_runs_and_the_printed_command_replays_it(capsys):
    data = proved(capsys, 1)
    assert data["traces"] < 100
    words = data["bug"]["command"].split()
    assert words[:2] == ["smplab", "race"]
    assert main(words[1:]) == 1
    assert "data race" in capsys.readouterr().out


def test_an_estimate_alone_makes_no_proof(capsys):
    assert main(["race", "prove", CLOSE, "--unmutated", "--estimate"]) == 0
    out = capsys.readouterr().out
    assert "about " in out and "certified" not in out
