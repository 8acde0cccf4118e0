"""BSD accounting: the records of a run, and the formats of their numbers."""

import struct
from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.cli.main import run_command
from cluster.engine import run_machine
from cluster.engine_api import DONE, RunRequest
from cluster.report.acct import AcctError, acct_lines, flag_letters, read_acct
from kernel.process.acct import OUTPUT
from kernel.uapi.acct import (
    ACCT_V3,
    ACORE,
    AFORK,
    AXSIG,
    decode_comp_t,
    decode_float,
    encode_comp_t,
    encode_float,
)

PROGRAM = """
import os
import signal

from workloads import guest

pid = os.fork()
if pid == 0:
    guest.compute(250_000_000)
    os.kill(os.getpid(), signal.SIGQUIT)
os.waitpid(pid, 0)
os._exit(4)
"""


def records_of(tmp_path: Path, scheme: str) -> bytes:
    program = tmp_path / "prog.py"
    program.write_text(PROGRAM)
    spec = guest_spec(program, [], cpus=2, seed=1, acct=True)
    result = run_machine(RunRequest(spec, scheme=scheme))
    assert result.exit_kind == DONE, result.message
    return result.outputs[OUTPUT]


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_every_process_leaves_one_record_in_order_of_exit(tmp_path: Path, scheme: str) -> None:
    child, program = read_acct(records_of(tmp_path, scheme))
    assert (child.pid, child.ppid, child.exitcode) == (4, 3, 3)
    assert child.flag == AFORK | ACORE | AXSIG
    assert (child.utime, child.etime) == (0.25, 0.25)
    assert (program.pid, program.ppid, program.exitcode, program.flag) == (3, 1, 4 << 8, 0)
    assert program.mem > 0


def test_records_print_as_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pacct"
    path.write_bytes(records_of(tmp_path, "exact"))
    assert run_command(["acct", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["COMMAND", "FLAGS"]
    assert lines[1].split()[:2] == ["python3", "-FDX"]
    assert lines[1].endswith("signal 3")
    assert lines[2].endswith(" 4")
    assert run_command(["acct", str(tmp_path / "none")]) == 2
    assert "does not exist" in capsys.readouterr().err
    path.write_bytes(b"short")
    assert run_command(["acct", str(path)]) == 2
    assert "whole number of records" in capsys.readouterr().err


def test_a_record_of_another_version_is_refused() -> None:
    with pytest.raises(AcctError, match="version 0"):
        read_acct(bytes(ACCT_V3.size))
    assert acct_lines([])[0].startswith("COMMAND")
    assert flag_letters(0) == "----"


def test_record_has_the_size_of_struct_acct_v3() -> None:
    assert ACCT_V3.size == 64


@pytest.mark.parametrize(
    ("value", "encoded"), [(0, 0), (8191, 8191), (8192, 0x2400), (8196, 0x2401), (1 << 40, 0xFFFF)]
)
def test_comp_t_has_thirteen_bits_and_an_exponent_of_base_eight(value: int, encoded: int) -> None:
    assert encode_comp_t(value) == encoded


def test_comp_t_is_right_to_one_part_in_a_thousand() -> None:
    for value in (1, 100, 12345, 999_999, 123_456_789):
        assert abs(decode_comp_t(encode_comp_t(value)) - value) <= value // 1000


def test_elapsed_time_is_a_float_of_ieee() -> None:
    for value in (1, 2, 3, 25, 100, 16_777_215, 1 << 30):
        assert struct.unpack("<f", struct.pack("<I", encode_float(value)))[0] == value
        assert decode_float(encode_float(value)) == value
    assert encode_float(0) == decode_float(0) == 0


def test_the_precise_form_has_the_kernels_times_beside_the_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prog.py").write_text(PROGRAM)
    (tmp_path / "c.yaml").write_text(
        "kernel: {acct: true}\nworkloads: [{program: ./prog.py}]\nexpect: {exit_status: 4}\n"
    )
    assert run_command(["run", "-q", "c.yaml"]) == 0
    capsys.readouterr()
    assert run_command(["acct", "-p", "latest"]) == 0
    heading, child, program = (line.split() for line in capsys.readouterr().out.splitlines())
    assert heading[3:9] == ["UTIME", "UTIME_NS", "STIME", "STIME_NS", "ETIME", "ETIME_NS"]
    assert child[3] == "0.25"
    assert 250_000_000 <= int(child[4]) < 260_000_000
    assert int(program[8]) >= int(child[8]) >= int(child[4]) + int(child[6])
    assert run_command(["acct", "-p", str(next((tmp_path / "runs").glob("*/pacct")))]) == 2
    exact = next((tmp_path / "runs").glob("*/pacct_exact"))
    exact.write_bytes(exact.read_bytes()[:-1])
    assert run_command(["acct", "-p", "latest"]) == 2
    assert "are not the exact times of 2 records" in capsys.readouterr().err
