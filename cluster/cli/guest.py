"""``smplab guest``: run one guest program on the emulated machine as CPython would run it.

Standard output, standard error and the exit status are the program's own; what it writes comes out
while it runs, in the order in which it wrote it to the two streams. A program that a signal
killed gives 128 + signal, as a shell reports it. Options before PROGRAM are for smplab; everything
after it belongs to the program.

``--pstree`` and ``--strace`` print, after the run and on standard error, all processes that ever
were and their system calls. ``--trace`` and ``--out`` keep the run in a run directory, which the
commands for runs take.
"""

import os
import select
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cluster.cli.common import MAX_STDIN
from cluster.exit_codes import USAGE, CliError

if TYPE_CHECKING:
    from cluster.config import Loaded
    from cluster.engine_api import Outputs, RunRequest, RunResult
    from cluster.rundir import RunDir

# the program stands for the one workload, which a configuration has to have
_BASE: Final = "machine: {{cpus: 2}}\nsync: {{scheme: {}}}\nworkloads: [{{program: cow_touch}}]\n"
_LOOK_S: Final = 0.2  # of host time, between two looks whether the run is to end
_GIVEN: Final = ("workloads", "out", "name", "expect")


def guest(
    program: Annotated[Path, typer.Argument(help="A guest program.", metavar="PROGRAM")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Its arguments.", metavar="[ARG]...")
    ] = None,
    cpus: Annotated[int, typer.Option(help="Simulated CPUs, 1 to 4096.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 42,
    engine: Annotated[str, typer.Option(help="local or ray.")] = "local",
    granularity: Annotated[str | None, typer.Option(help="syscall or step.")] = None,
    scheme: Annotated[
        str | None, typer.Option(help="exact or barrier; by default exact, with Ray barrier.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a key of configurations."),
    ] = None,
    unbuffered: Annotated[
        bool, typer.Option("-u", help="As python3 -u: streams are not buffered.")
    ] = False,
    env: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="NAME=VALUE", help="Set a variable of its environment."),
    ] = None,
    pass_env: Annotated[
        bool, typer.Option("--pass-env", help="Pass on the environment of smplab.")
    ] = False,
    stdin: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its standard input, not that of smplab.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Check all invariants.")] = False,
    pstree: Annotated[
        bool, typer.Option("--pstree", help="Show all processes there were, at the end.")
    ] = False,
    strace: Annotated[
        bool, typer.Option("--strace", help="Show all system calls, at the end.")
    ] = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="Keep the run, with its trace, in a run directory.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder that gets the run directory.")
    ] = None,
) -> int:
    """Run one guest program.

    As python3 PROGRAM ARG... would, but on the emulated machine. Options of smplab come before
    PROGRAM; everything after it is the program's, and so is standard input: a file or a pipe is
    read to its end, a terminal by lines, while virtual time stands still.
    """
    from cluster.cli.common import check_machine_options, check_programs, outcome
    from cluster.cli.run import abandoned_on_failure, record
    from cluster.engine import run_machine
    from cluster.engine_api import DONE

    check_machine_options(cpus, seed)
    if engine not in ("local", "ray"):
        raise CliError(USAGE, "usage", f"--engine: must be local or ray (got {engine})")
    for text in settings or ():
        if text.partition("=")[0].partition(".")[0].strip() in _GIVEN:
            raise CliError(USAGE, "usage", f"--set {text}: not of a guest, which is PROGRAM")
    keep = trace or out is not None
    options: dict[str, Any] = {"granularity": granularity, "scheme": scheme}
    loaded = None
    if settings or keep or not is_plain(engine, **options):
        loaded = configured(settings, cpus=cpus, seed=seed, engine=engine, **options)
    given = from_outside(env or [], pass_env, stdin, lazy=engine == "local")
    given["unbuffered"] = unbuffered
    looked_at = keep or pstree or strace
    given |= {"trace": looked_at, "check": check}
    if loaded is None:
        request = plain_request(
            program, arguments or [], cpus=cpus, seed=seed, **options, given=given
        )
    else:
        request = configured_request(loaded, program, arguments or [], given=given)
    spec = request.spec
    spec.trace_syscalls |= strace
    check_programs(spec, {os.path.normpath(Path.cwd() / program): str(program)})
    passing = _PassOn()
    request.on_output = passing
    if spec.spawns[0].stdin_kind in ("terminal", "late"):
        request.feed = _next_line if spec.spawns[0].stdin_kind == "terminal" else _all_input
    directory = _directory(out, program) if keep else None
    with (
        abandoned_on_failure(directory, mutated=bool(spec.mutations)),
        _place(directory, pstree or strace) as request.out_dir,
    ):
        if directory is not None:
            assert loaded is not None
            _start(directory, loaded, program, arguments or [])
        result = run_machine(request)
        code, kind, message = outcome(result, "any", mutated=bool(spec.mutations))
        if result.exit_kind == DONE:
            code = _shell_status(result)
        if directory is not None:
            result.outputs.update(passing.records)
            record(directory, result, code, message)
        _show(request, result, pstree=pstree, strace=strace)
    if directory is not None:
        print(f"smplab: note: run directory {directory.path}", file=sys.stderr)
    if result.exit_kind != DONE:
        raise CliError(code, kind, message)
    return code


def is_plain(engine: str, granularity: str | None, scheme: str | None) -> bool:
    """Tell whether options mean the same with and without a configuration.

    Without one a guest starts in two thirds of the time: pydantic and YAML need not be imported.
    """
    return (
        engine == "local"
        and granularity in (None, "syscall", "step")
        and scheme in (None, "exact", "barrier")
    )


def plain_request(
    program: Path,
    arguments: list[str],
    *,
    cpus: int,
    seed: int,
    granularity: str | None,
    scheme: str | None,
    given: dict[str, Any],
) -> "RunRequest":
    """Return what ``configured_request`` returns where no key is set: the defaults are the same.

    Raises:
        ConfigError: the program cannot be read.
    """
    from cluster.build import guest_spec
    from cluster.engine_api import RunRequest

    given = {**given, "cpus": cpus, "seed": seed, "granularity": granularity or "syscall"}
    spec = guest_spec(program, arguments, **given)
    return RunRequest(spec, scheme=scheme or "exact", cpus_per_actor=None)


def configured(settings: list[str] | None, *, cpus: int, engine: str, **options: Any) -> "Loaded":
    """Return the configuration that the options of the command line stand for.

    Raises:
        ConfigError: one of them cannot be used.
    """
    from cluster.cli.common import overrides
    from cluster.config import parse_config

    options["sync__scheme"] = options.pop("scheme")
    flags = [
        ("--cpus", f"machine.cpus={cpus}"),
        *overrides(settings, engine=engine, **options),
    ]
    base = _BASE.format("exact" if engine == "local" else "barrier")
    return parse_config("guest", base, Path.cwd(), flags)


def configured_request(
    loaded: "Loaded", program: Path, arguments: list[str], *, given: dict[str, Any]
) -> "RunRequest":
    """Return a run of one program in this folder on the machine that a configuration describes.

    Raises:
        ConfigError: the program cannot be read, or the configuration cannot be used.
    """
    from cluster.build import SHIPPED, guest_spec, resolve
    from cluster.cli.run import make_request

    base = resolve(loaded)
    own = {"files", "sources", "spawns"}
    changes = {one.name: getattr(base, one.name) for one in fields(base) if one.name not in own}
    check = given["check"] or base.check
    spec = guest_spec(program, arguments, **{**changes, **given, "check": check})
    files = {path: file for path, file in base.files.items() if not path.startswith(SHIPPED)}
    sources = {key: text for key, text in base.sources.items() if not key.startswith(SHIPPED)}
    spec.files = {**files, **spec.files}
    spec.sources = {**sources, **spec.sources}
    return make_request(loaded, spec)


def from_outside(
    env: list[str], pass_env: bool, stdin: Path | None, *, lazy: bool
) -> dict[str, Any]:
    """Return what the program gets of smplab's own surroundings, as options of ``guest_spec``.

    Args:
        lazy: a pipe is read when the program first reads it, and a terminal can be asked.

    Raises:
        CliError: an option is wrong, or standard input cannot be read.
    """
    from cluster.cli.common import check_stdin, read_stdin

    variables = dict(os.environ) if pass_env else {}
    for text in env:
        name, sign, value = text.partition("=")
        if not sign or not name or "\0" in text:
            raise CliError(USAGE, "usage", f"--env: must be NAME=VALUE (got {text!r})")
        variables[name] = value
    terminals = sum(
        1 << fd
        for fd, stream in ((1, sys.stdout), (2, sys.stderr))
        if stream is not None and stream.isatty()
    )
    found: dict[str, Any] = {"env": tuple(variables.items()), "terminals": terminals}
    if stdin is not None:
        return {**found, "stdin": read_stdin(stdin)}
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return found  # closed
    if stat.S_ISREG(mode):
        with open(0, "rb", closefd=False) as file:
            return {**found, "stdin": check_stdin(file.read(MAX_STDIN + 1))}
    if os.isatty(0):
        return {**found, "stdin": b"", "stdin_kind": "terminal"} if lazy else found
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        if lazy:
            return {**found, "stdin": b"", "stdin_kind": "late"}
        with open(0, "rb", closefd=False) as file:
            return {**found, "stdin": check_stdin(file.read(MAX_STDIN + 1)), "stdin_kind": "pipe"}
    return found


def _wait_for_input(interrupted: Callable[[], bool]) -> bool:
    """Wait until there is something to read; False: the run is to be interrupted."""
    while not select.select([0], [], [], _LOOK_S)[0]:
        if interrupted():
            return False
    return True


def _next_line(interrupted: Callable[[], bool]) -> bytes:
    """Return what a read of the terminal gives: a line."""
    return os.read(0, 1 << 16) if _wait_for_input(interrupted) else b""


def _all_input(interrupted: Callable[[], bool]) -> bytes:
    """Return all that comes through the pipe."""
    data = bytearray()
    while _wait_for_input(interrupted):
        part = os.read(0, 1 << 16)
        data += part
        if not part or len(data) > MAX_STDIN:
            break
    return bytes(data[:MAX_STDIN])


def _directory(out: Path | None, program: Path) -> "RunDir":
    from cluster.rundir import DEFAULT_BASE, RunDir

    base = Path(DEFAULT_BASE) if out is None else out
    try:
        return RunDir.create(base, program.stem)
    except OSError as error:
        raise CliError(USAGE, "usage", f"--out: {base}: {error.strerror}") from None


def _start(directory: "RunDir", loaded: "Loaded", program: Path, arguments: list[str]) -> None:
    from cluster.cli.run import resolved

    config = resolved(loaded)
    config["workloads"] = [{"program": str(program), "args": arguments}]
    directory.start(name=program.stem, config=config, seed=loaded.config.seed)


@contextmanager
def _place(directory: "RunDir | None", looked_at: bool) -> Iterator[Path | None]:
    """Give the folder for the trace: the run directory, or one that is gone at the end, or none."""
    if directory is not None:
        yield directory.path
    elif looked_at:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="smplab-guest-") as folder:
            yield Path(folder)
    else:
        yield None


def _shell_status(result: "RunResult") -> int:
    status = result.statuses[0][2]
    assert status is not None
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _show(request: "RunRequest", result: "RunResult", *, pstree: bool, strace: bool) -> None:
    """Print what was asked for of the trace to standard error."""
    from cluster.report.life import life_lines
    from cluster.report.strace import strace_lines
    from cluster.trace import TraceReader

    if request.out_dir is None or not result.statuses or not (pstree or strace):
        return
    root = result.statuses[0][1]
    with TraceReader(request.out_dir / "trace.smpt") as reader:
        if strace:
            for line in strace_lines(reader.select(), root):
                print(line, file=sys.stderr)
        if pstree:
            for line in life_lines(reader.select(), root):
                print(line, file=sys.stderr)


class _PassOn:
    """Writes what the program wrote, each part to the stream it went to, in that order.

    Accounting records are no part of that: they are kept in ``records``.
    """

    def __init__(self) -> None:
        self.records: dict[str, bytes] = {}

    def __call__(self, outputs: "Outputs") -> None:
        """Pass on what was written since the last call."""
        from kernel.process.acct import OUTPUTS as ACCT_OUTPUTS

        for name, data in outputs:
            if name in ACCT_OUTPUTS:
                self.records[name] = self.records.get(name, b"") + data
                continue
            stream = sys.stderr if name.endswith(".stderr") else sys.stdout
            if stream is not None:  # closed before we were started
                stream.buffer.write(data)
                stream.flush()


def register(app: typer.Typer) -> None:
    """Add the command ``guest`` to ``app``."""
    app.command(context_settings={"allow_interspersed_args": False})(guest)
