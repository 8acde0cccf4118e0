"""``smplab native``: run a guest program on this host's own kernel, as ``python3 PROGRAM`` would.

The program becomes this process: its standard streams, signals and exit status are the shell's.
All that is added is that it finds ``workloads.guest``, wherever smplab is installed.
"""

import os
import site
import sys
from pathlib import Path
from typing import Annotated

import typer

from cluster.exit_codes import USAGE, CliError


def native(
    program: Annotated[
        Path, typer.Argument(help="A guest program, or a preset.", metavar="PROGRAM")
    ],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Its arguments.", metavar="[ARG]...")
    ] = None,
    unbuffered: Annotated[
        bool, typer.Option("-u", help="Unbuffered standard output and error, as of python3 -u.")
    ] = False,
) -> None:
    """Run a guest program on the host, with the native form of workloads.guest.

    Options of smplab come before PROGRAM; everything after it is the program's. It makes real
    system calls: it is not confined in any way.
    """
    from cluster.cli.presets import preset_named

    preset = preset_named(program)
    if preset is not None:
        program = memory_file(preset.program)
    elif not program.is_file():
        raise CliError(USAGE, "usage", f"{program}: no such file")
    flags = ["-u"] if unbuffered else []
    command = [sys.executable, *flags, str(program), *(arguments or [])]
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os.execve(sys.executable, command, environment(dict(os.environ)))


def memory_file(text: str) -> Path:
    """Return a file with ``text`` that lies in memory, for this process and those it becomes."""
    file = os.memfd_create("preset", 0)
    with open(file, "wb", closefd=False) as stream:
        stream.write(text.encode())
    return Path(f"/proc/self/fd/{file}")


def environment(environ: dict[str, str]) -> dict[str, str]:
    """Return the environment with which our interpreter finds ``workloads``, from ``environ``.

    Where it is installed, the interpreter finds it by itself, and the environment stays as it is.
    """
    import workloads
    from cluster.fast_core import VARIABLE

    environ = {name: value for name, value in environ.items() if name != VARIABLE}  # ours
    root = str(Path(workloads.__file__).resolve().parents[1])
    if root in (*site.getsitepackages(), site.getusersitepackages()):
        return environ
    before = environ.get("PYTHONPATH")
    return {**environ, "PYTHONPATH": f"{root}{os.pathsep}{before}" if before else root}


def register(app: typer.Typer) -> None:
    """Add the command ``native`` to ``app``."""
    app.command(context_settings={"allow_interspersed_args": False})(native)
