"""What several commands share: options, from a result to an exit code, programs checked ahead."""

import os
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cluster.cli.interrupts import interruption
from cluster.engine_api import BROKEN, DONE, INTERRUPTED, INVARIANT, STORAGE
from cluster.exit_codes import FAILED, MUTATION, MUTATION_KIND, OF_EXIT_KIND, OK, USAGE, CliError

if TYPE_CHECKING:  # commands that only tell what there is start without these
    from cluster.config import Loaded
    from cluster.config.load import Override
    from cluster.engine_api import RunResult
    from kernel.machine import MachineSpec
    from workloads.language.errors import GuestProgramError

MAX_CPUS: Final = 4096
#: Compiled programs are kept on disk; only ``cluster.entry`` says so: a process of our own.
keeps_programs = False
_SHOWN: Final = 5
_FLAG_OF: Final = {"ray__cpus_per_actor": "--cpus-per-actor"}


def overrides(settings: Iterable[str] | None, **flags: Any) -> "list[Override]":
    """Return ``--set`` options and the flags that stand for a key as overrides, in order.

    A flag that is None was not given. ``engine="ray"`` stands for ``--engine ray`` and sets the key
    ``engine``; a double underscore is a dot (``ray__address``, shown as ``--address``); what is
    shown is the last word (``machine__memory_model``: ``--model``).
    """
    result = [(f"--set {text}", text) for text in settings or ()]
    for name, value in flags.items():
        if value is None:
            continue
        flag = _FLAG_OF.get(name) or f"--{name.split('_')[-1]}"
        key = name.replace("__", ".")
        if value is True:
            result.append((flag, f"{key}=true"))
        else:
            result.append((f"{flag} {value}", f"{key}={value}"))
    return result


def check_machine_options(cpus: int, seed: int) -> None:
    """Raise CliError if --cpus or --seed is out of range."""
    if not 1 <= cpus <= MAX_CPUS:
        raise CliError(USAGE, "usage", f"--cpus: must be from 1 to {MAX_CPUS} (got {cpus})")
    if not 0 <= seed < 1 << 63:
        raise CliError(USAGE, "usage", f"--seed: must be from 0 to 2**63 - 1 (got {seed})")


def discard_stdout() -> None:
    """Let what is still buffered for a stdout that cannot be written go nowhere, without error."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_complete(result: "RunResult") -> bool:
    """Tell whether what a run found is all there is to find: it did not break underway."""
    return result.exit_kind not in (BROKEN, INTERRUPTED, STORAGE)


def shown_digest(exit_kind: object, digest: str) -> str:
    """Return the digest that is shown of a run that ended so: none of one that broke."""
    return "" if exit_kind in (BROKEN, INTERRUPTED, INVARIANT, STORAGE) else digest


def outcome(
    result: "RunResult", expected: int | str, *, mutated: bool = False
) -> tuple[int, str, str]:
    """Return ``(exit code, kind, message)`` of a finished run; kind is empty if all is well.

    Args:
        expected: the exit status that every started program must have, or ``any``.
        mutated: the kernel had mutations; a broken invariant is then what they were to show.
    """
    if result.exit_kind == INTERRUPTED:
        code, message = interruption()
        return code, "interrupted", message
    if mutated and result.exit_kind == INVARIANT:
        return MUTATION, MUTATION_KIND, result.message
    if result.exit_kind != DONE:
        code, kind = OF_EXIT_KIND[result.exit_kind]
        return code, kind, result.message
    if expected == "any":
        return OK, "", ""
    from kernel.trace.printable import printable

    wrong = [
        (label, pid, status)
        for label, pid, status in result.statuses
        if status is None or not os.WIFEXITED(status) or os.WEXITSTATUS(status) != expected
    ]
    if not wrong:
        return OK, "", ""
    lines = [
        f"{printable(label)} (pid {pid}) {describe_status(status)}, expected exit status {expected}"
        for label, pid, status in wrong[:_SHOWN]
    ]
    if len(wrong) > _SHOWN:
        lines.append(f"{len(wrong) - _SHOWN} more of {len(result.statuses)}")
    return FAILED, "expectation failed", "\n".join(lines)


def describe_status(status: int | None) -> str:
    """Return a wait status in words."""
    if status is None:
        return "never ended"
    if os.WIFEXITED(status):
        return f"exited with {os.WEXITSTATUS(status)}"
    number = os.WTERMSIG(status)
    try:
        return f"was killed by {signal.Signals(number).name}"
    except ValueError:
        return f"was killed by signal {number}"


def console_outputs(result: "RunResult") -> dict[str, tuple[bytes, bytes]]:
    """Return what programs wrote to descriptors 1 and 2, by label, in the engine's order."""
    outputs: dict[str, tuple[bytes, bytes]] = {}
    for name, data in result.outputs.items():
        label, _, stream = name.rpartition(".")
        out, err = outputs.get(label, (b"", b""))
        outputs[label] = (out + data, err) if stream == "stdout" else (out, err + data)
    return outputs


def program_messages(error: "GuestProgramError") -> list[str]:
    """Return one line for each problem of a program; names in it steer no terminal."""
    from kernel.trace.printable import printable_line

    return [printable_line(message) for message in error.messages]


MAX_STDIN = 64 << 20


def read_stdin(path: Path) -> bytes:
    """Return what a file given for standard input has.

    Raises:
        CliError: it cannot be read, or is too long.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_STDIN + 1)
    except OSError as error:
        raise CliError(USAGE, "usage", f"--stdin: {path}: {error.strerror}") from None
    return check_stdin(data)


def check_stdin(data: bytes) -> bytes:
    """Return ``data``, or refuse it if it is more than a run may be given."""
    if len(data) > MAX_STDIN:
        raise CliError(USAGE, "usage", "standard input has more than 64 MiB: give less")
    return data


def checked_machine(loaded: "Loaded") -> "MachineSpec":
    """Return the machine of a configuration; all its programs are compiled.

    Raises:
        ConfigError: every problem of the configuration, and of the programs it names.
        CliError: every problem of the programs, if the configuration has none.
    """
    from cluster.build import look_at_machine, shown_programs
    from cluster.config.errors import ConfigError

    spec, problems = look_at_machine(loaded)
    shown = shown_programs(loaded)
    if problems:
        raise ConfigError(problems, tuple(_program_problems(spec, shown)))
    check_programs(spec, shown)
    return spec


def check_programs(spec: "MachineSpec", shown: Mapping[str, str]) -> None:
    """Compile what the spec starts, and the images it declares, so that refusals come first.

    Args:
        shown: tree path -> file name for messages, for programs that are files of the user.

    Raises:
        CliError: a program is outside the guest language; says every problem of all of them.
    """
    problems = _program_problems(spec, shown)
    if problems:
        raise CliError(USAGE, "guest program", "\n".join(problems))


def _program_problems(spec: "MachineSpec", shown: Mapping[str, str]) -> list[str]:
    """Compile the programs of a machine; return a line for each problem of theirs."""
    from cluster.build import program_file
    from cluster.fast_core import programs_dir
    from workloads.language import kept_programs
    from workloads.language.compiler import compile_program
    from workloads.language.errors import GuestProgramError

    if keeps_programs:
        kept_programs.keep_in(programs_dir())
    keys = [program_file(run) for run in spec.spawns]
    # A file that is its own program only lies there; an image of another's is declared.
    keys += [
        file.image.program
        for path, file in spec.files.items()
        if file.image is not None and path != file.image.program in spec.files
    ]
    problems: list[str] = []
    for key in dict.fromkeys(keys):
        try:
            compile_program(spec.sources[key], shown.get(key, key), block_budget=spec.block_budget)
        except GuestProgramError as error:
            problems.extend(program_messages(error))
    return problems
