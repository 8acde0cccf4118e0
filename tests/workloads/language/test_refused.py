"""Programs outside the language: each is refused with exactly the messages at its end."""

from pathlib import Path

import pytest

from workloads.language.compiler import compile_program
from workloads.language.errors import GuestProgramError

PROGRAMS = sorted((Path(__file__).parent / "refused").glob("*.py"))
MARK = "# expect: "


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_program_is_refused_with_every_problem_at_once(program: Path) -> None:
    source = program.read_text()
    expected = [
        f"{program.name}:{line.removeprefix(MARK)}"
        for line in source.splitlines()
        if line.startswith(MARK)
    ]
    with pytest.raises(GuestProgramError) as caught:
        compile_program(source, program.name)
    assert caught.value.messages == expected
    assert str(caught.value) == "\n".join(expected)


def test_there_are_many_such_programs() -> None:
    assert len(PROGRAMS) >= 20
