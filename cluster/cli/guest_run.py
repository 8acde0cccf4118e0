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
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cluster.exit_codes import OF_EXIT_KIND, USAGE, CliError

if TYPE_CHECKING:
    from cluster.config import Loaded
    from cluster.engine_api import Outputs, RunRequest, RunResult
    from cluster.rundir import RunDir

CPUS: Final = 2
SEED: Final = 42
# the program stands for the one workload, which a configuration has to have
_BASE: Final = "machine: {{cpus: 2}}\nsync: {{scheme: {}}}\nworkloads: [{{program: cow_touch}}]\n"
_GIVEN: Final = ("workloads", "out", "name", "expect")


@dataclass(slots=True)
class GuestOptions:
    """What the command line says; what the options mean stands beside them in ``guest``."""

    program: Path
    arguments: list[str] = field(default_factory=list)
    cpus: int = CPUS
    seed: int = SEED
    engine: str = "local"
    granularity: str | None = None
    scheme: str | None = None
    settings: list[str] = field(default_factory=list)
    unbuffered: bool = False
    env: list[str] = field(default_factory=list)
    pass_env: bool = False
    stdin: Path | None = None
    check: bool = False
    pstree: bool = False
    strace: bool = False
    trace: bool = False
    out: Path | None = None
    model: str | None = None


def run_guest(options: GuestOptions) -> int:
    """Run a guest program; return the exit code of the command.

    Raises:
        CliError: an option cannot be used, or the run did not end as runs do.
        ConfigError: the program cannot be read, or a key cannot have its value.
    """
    from cluster.cli.common import check_machine_options, check_programs, outcome
    from cluster.cli.guest_input import all_input, from_outside, next_line
    from cluster.cli.keeping import abandoned_on_failure, record
    from cluster.engine import run_machine
    from cluster.engine_api import DONE, STORAGE

    check_machine_options(options.cpus, options.seed)
    if options.engine not in ("local", "ray"):
        raise CliError(USAGE, "usage", f"--engine: must be local or ray (got {options.engine})")
    for text in options.settings:
        if text.partition("=")[0].partition(".")[0].strip() in _GIVEN:
            raise CliError(USAGE, "usage", f"--set {text}: not of a guest, which is PROGRAM")
    program = options.program
    keep = options.trace or options.out is not None
    looked_at = options.pstree or options.strace
    loaded = configured(options) if options.settings or keep or not is_plain(options) else None
    given = from_outside(
        options.env, options.pass_env, options.stdin, lazy=options.engine == "local"
    )
    given["unbuffered"] = options.unbuffered
    given |= {"trace": keep or looked_at, "check": options.check}
    if loaded is None:
        request = plain_request(options, given)
    else:
        request = configured_request(options, loaded, given)
    spec = request.spec
    spec.trace_syscalls |= options.strace
    check_programs(spec, {os.path.normpath(Path.cwd() / program): str(program)})
    passing = _PassOn()
    request.on_output = passing
    if spec.spawns[0].stdin_kind in ("terminal", "late"):
        request.feed = next_line if spec.spawns[0].stdin_kind == "terminal" else all_input
    directory = _directory(options.out, program) if keep else None
    if directory is None and loaded is not None:
        _tell_unrecorded(request)
    with (
        abandoned_on_failure(directory, spec, request.scheme),
        _place(directory, looked_at) as request.out_dir,
    ):
        if directory is not None:
            assert loaded is not None
            _start(directory, loaded, options)
        result = run_machine(request)
        code, kind, message = outcome(result, "any", mutated=bool(spec.mutations))
        if result.exit_kind == DONE:
            code = _shell_status(result)
        if directory is not None:
            result.outputs.update(passing.records)
            code, kind, message = record(directory, result, code, kind, message)
        _show(request, result, options)
    if directory is not None:
        print(f"smplab: note: run directory {directory.path}", file=sys.stderr)
    if result.exit_kind != DONE or kind == OF_EXIT_KIND[STORAGE][1]:
        raise CliError(code, kind, message)
    return code


def is_plain(options: GuestOptions) -> bool:
    """Tell whether options mean the same with and without a configuration.

    Without one a guest starts in two thirds of the time: pydantic and YAML need not be imported.
    """
    return (
        options.engine == "local"
        and options.model is None
        and options.granularity in (None, "syscall", "step")
        and options.scheme in (None, "exact", "barrier")
    )


def plain_request(options: GuestOptions, given: dict[str, Any]) -> "RunRequest":
    """Return what ``configured_request`` returns where no key is set: the defaults are the same.

    Raises:
        ConfigError: the program cannot be read.
    """
    from cluster.build import guest_spec
    from cluster.request import request_of_machine

    spec = guest_spec(
        options.program,
        options.arguments,
        cpus=options.cpus,
        seed=options.seed,
        granularity=options.granularity or "syscall",
        **given,
    )
    return request_of_machine(spec, options.scheme or "exact")


def configured(options: GuestOptions) -> "Loaded":
    """Return the configuration that the options of the command line stand for.

    Raises:
        ConfigError: one of them cannot be used.
    """
    from cluster.cli.common import overrides
    from cluster.config import parse_config

    granularity = options.granularity
    settings = options.settings
    if options.model is not None:
        granularity = granularity or "step"
        settings = ["sync.tie_break=random", *settings]
    flags = [
        ("--cpus", f"machine.cpus={options.cpus}"),
        *overrides(
            settings,
            seed=options.seed,
            engine=options.engine,
            granularity=granularity,
            sync__scheme=options.scheme,
            machine__memory_model=options.model,
        ),
    ]
    base = _BASE.format("exact" if options.engine == "local" else "barrier")
    return parse_config("guest", base, Path.cwd(), flags)


def configured_request(
    options: GuestOptions, loaded: "Loaded", given: dict[str, Any]
) -> "RunRequest":
    """Return a run of one program in this folder on the machine that a configuration describes.

    Raises:
        ConfigError: the program cannot be read, or the configuration cannot be used.
    """
    from cluster.build import SHIPPED, guest_spec, resolve
    from cluster.request import request_of

    base = resolve(loaded)
    own = {"files", "sources", "spawns"}
    changes = {one.name: getattr(base, one.name) for one in fields(base) if one.name not in own}
    check = given["check"] or base.check
    spec = guest_spec(options.program, options.arguments, **{**changes, **given, "check": check})
    files = {path: file for path, file in base.files.items() if not path.startswith(SHIPPED)}
    sources = {key: text for key, text in base.sources.items() if not key.startswith(SHIPPED)}
    spec.files = {**files, **spec.files}
    spec.sources = {**sources, **spec.sources}
    request = request_of(loaded, spec)
    # somebody looks at it: it is begun again, not gone on with
    request.checkpoint, request.max_recoveries = None, 0
    return request


def _directory(out: Path | None, program: Path) -> "RunDir":
    from cluster.rundir import DEFAULT_BASE, RunDir

    base = Path(DEFAULT_BASE) if out is None else out
    try:
        return RunDir.create(base, program.stem)
    except OSError as error:
        raise CliError(USAGE, "usage", f"--out: {base}: {error.strerror}") from None


def _tell_unrecorded(request: "RunRequest") -> None:
    """Say so if the run can never be made again: its scheme decides freely, and nothing is kept."""
    from cluster.sync.scheme import runs_free, scheme_class

    scheme = scheme_class(request.scheme, request.scheme_from)
    if not scheme.deterministic and not runs_free(scheme):  # here the seed makes it again
        print(
            f"smplab: note: scheme {scheme.name} is not deterministic: this run cannot be made "
            "again without --out, which keeps its order log",
            file=sys.stderr,
        )


def _start(directory: "RunDir", loaded: "Loaded", options: GuestOptions) -> None:
    from cluster.cli.keeping import resolved

    config = resolved(loaded)
    config["workloads"] = [{"program": str(options.program), "args": options.arguments}]
    directory.start(name=options.program.stem, config=config, seed=loaded.config.seed)


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


def _show(request: "RunRequest", result: "RunResult", options: GuestOptions) -> None:
    """Print what was asked for of the trace to standard error."""
    if request.out_dir is None or not result.statuses or not (options.pstree or options.strace):
        return
    from cluster.report.life import life_lines
    from cluster.report.strace import strace_lines
    from cluster.trace import TraceReader

    root = result.statuses[0][1]
    with TraceReader(request.out_dir / "trace.smpt") as reader:
        if options.strace:
            for line in strace_lines(reader.select(), root):
                print(line, file=sys.stderr)
        if options.pstree:
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
