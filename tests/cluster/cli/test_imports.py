"""What commands import: each import that a command does not need is time before it starts."""

import subprocess
import sys
from pathlib import Path

import pytest

DEAR = frozenset(
    {"ray", "yaml", "pydantic", "rich", "structlog", "numpy", "msgpack", "asyncio", "kernel"}
)
RUN = """
import sys
from cluster.cli.main import run_command
code = run_command(sys.argv[1:])
sys.stderr.write(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
sys.exit(code)
"""


def imported(*arguments: str, folder: Path) -> frozenset[str]:
    """Return the top-level packages and modules that a command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stderr.count("\n")) == (0, 0), done.stderr
    return frozenset(done.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_import_nothing_that_runs_a_machine(
    arguments: list[str], tmp_path: Path
) -> None:
    assert not imported(*arguments, folder=tmp_path) & DEAR


def test_a_guest_without_options_imports_nothing_that_parses_them_or_a_configuration(
    tmp_path: Path,
) -> None:
    (tmp_path / "hello.py").write_text("print(1)\n")
    found = imported("guest", "hello.py", folder=tmp_path)
    assert not found & (DEAR | {"typer"}) - {"kernel", "msgpack"}


def test_a_command_that_is_named_imports_no_other_commands_module(tmp_path: Path) -> None:
    asked = "import sys; from cluster.cli.app import make_app; make_app('guest'); "
    shown = 'print(*[name for name in sys.modules if name.startswith("cluster.cli.")])'
    done = subprocess.run(
        [sys.executable, "-c", asked + shown], check=True, capture_output=True, text=True
    )
    found = {name.rpartition(".")[2] for name in done.stdout.split()}
    assert "guest" in found and not found & {"run", "diff", "trace", "ps", "listing", "configs"}


def test_every_command_of_a_module_is_in_the_table_of_commands() -> None:
    from cluster.cli.app import _COMMANDS, make_app

    for module in set(_COMMANDS.values()):
        first = next(name for name, of in _COMMANDS.items() if of == module)
        app = make_app(first)
        names = [
            command.name or (command.callback.__name__ if command.callback else "")
            for command in app.registered_commands
        ]
        groups = [group.typer_instance for group in app.registered_groups]
        names += [str(group.info.name) for group in groups if group is not None]
        assert names == [name for name, of in _COMMANDS.items() if of == module]
