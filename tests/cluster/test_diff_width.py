"""The table of ``smplab diff`` fits a terminal of 80 columns."""

from cluster.diff_report import Failure, render_table


def test_a_program_with_a_long_name_has_a_line_of_its_own() -> None:
    rows = [Failure(name, "guest program", "no") for name in ("short.py", "a/" * 40 + "l\x1bng.py")]
    lines = render_table(rows).splitlines()
    assert [line.split()[0] for line in lines] == [
        "program",
        "short.py",
        "a/" * 40 + "l\\x1bng.py",
        "-",
        "2",
    ]
    assert len({line.index("guest") for line in lines if "guest" in line}) == 1
    assert max(len(line) for line in lines if "guest" in line or "verdict" in line) <= 80
