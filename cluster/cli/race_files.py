"""Files that ``smplab race`` writes, and the records that it reads, with what is wrong told.

Whether a file can be written is asked before anything runs: hours of runs are not made for one that
cannot. One that cannot be written all the same (a full disk) is told after what was found.
"""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cluster import fast_core
from cluster.exit_codes import USAGE, CliError

if TYPE_CHECKING:
    from cluster.race.again import Record
    from cluster.race.run import Scenario


def check_writable(**paths: Path | None) -> None:
    """See to it that files can be written; each is named by its option, None: not asked for.

    Raises:
        CliError: one cannot, all of them are told.
    """
    problems = []
    for option, path in paths.items():
        there = path is not None and path.exists()
        if path is None or (there and not path.is_file() and not path.is_dir()):
            continue  # a device or a pipe: what is opened there may wait
        try:
            with path.open("ab"):
                pass
        except OSError as error:
            problems.append(_cannot(option, path, error))
        else:
            if not there:
                with suppress(OSError):
                    path.unlink()
    if problems:
        raise CliError(USAGE, "usage", "\n".join(problems))


def write(option: str, path: Path, text: str) -> str:
    """Write a file, whole or not at all; return what is wrong, or an empty string."""
    from cluster.rundir import write_atomically

    data = text.encode()
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):  # /dev/stdout, a pipe
            path.write_bytes(data)
        else:
            write_atomically(path, data)
    except OSError as error:
        return _cannot(option, path, error)
    return ""


def refuse(*problems: str) -> None:
    """End the command if files could not be written, after what was found has been printed.

    Raises:
        CliError: there is a problem that is not an empty string.
    """
    told = [problem for problem in problems if problem]
    if told:
        raise CliError(USAGE, "usage", "\n".join(told))


def _cannot(option: str, path: Path, error: OSError) -> str:
    return f"--{option}: {path}: {error.strerror or error}"


def code_hash() -> bytes:
    """Return the hash of smplab's own code that replay strings have."""
    return bytes.fromhex(fast_core.key()[:8])


def record_for(what: str, scenario: "Scenario") -> "Record":
    """Return the record that a string or a file stands for.

    Raises:
        CliError: it is none, or none of this scenario.
    """
    from cluster.race.again import read_record
    from cluster.race.run import config_hash, scenario_hash
    from cluster.race.schedule import BadSchedule

    try:
        record = read_record(what)
    except BadSchedule as error:
        raise CliError(USAGE, "replay string", str(error)) from None
    schedule = record.schedule
    if schedule.scenario != scenario_hash(scenario):
        said = "is of another program, or of other arguments or mutations, than this scenario"
        raise CliError(USAGE, "replay string", said)
    if schedule.config != config_hash(scenario):
        said = "is of another machine than this scenario (see --cpus and --model)"
        raise CliError(USAGE, "replay string", said)
    return record


def divergence_told(record: "Record", error: Exception) -> str:
    """Return how a replay diverged, and whether smplab is another than it was."""
    same = record.schedule.code == code_hash()
    return f"{error}{'' if same else ' (smplab itself is another than it was)'}"
