"""docs/fidelity.md and docs/catalogue.md say what the source, the programs and the tables say."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_pages_are_up_to_date_and_name_what_is_there_and_every_guest_program():
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "make_fidelity.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
