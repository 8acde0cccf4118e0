"""docs/fidelity.md says what the source says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_fidelity_page_is_up_to_date():
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "make_fidelity.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
