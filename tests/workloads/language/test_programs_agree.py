"""Guest programs do on the emulated run time what CPython does with them."""

from pathlib import Path
from typing import Any

import pytest

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


@pytest.mark.native
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_program_does_what_cpython_does(guest: Any, program: Path) -> None:
    guest.agree(program.read_text(), "one", "two")
