"""What the emulator cannot do, and a program asks for at run time: it says so to the program."""

import subprocess
import sys
from pathlib import Path

import pytest

REFUSED = {
    "posix_spawn": 'os.posix_spawn(sys.executable, ["python3", "-c", "pass"], {})',
    "execv": 'os.execv(sys.executable, ["python3", "-c", "pass"])',
    "clone": "guest.clone(guest.CLONE_VM | 17)",
}


@pytest.mark.parametrize("name", REFUSED)
def test_call_that_is_not_emulated_raises_not_implemented_error(tmp_path: Path, name: str) -> None:
    program = tmp_path / "prog.py"
    program.write_text(
        "import os\nimport sys\nfrom workloads import guest\n"
        f"try:\n    {REFUSED[name]}\nexcept RuntimeError as error:\n    print(repr(error)[:19])\n"
        "try:\n    os.wait()\nexcept ChildProcessError as error:\n    print(error.errno)\n"
    )

    run = "from cluster.entry import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", run, "guest", str(program)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("NotImplementedError\n10\n", "")
