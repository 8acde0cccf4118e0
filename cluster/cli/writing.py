"""Files that commands write: whole or not at all, and what is said if they cannot be written.

Whether a file can be written is asked before anything long runs (``check_writable``): hours of runs
are not made for one that cannot. One that cannot be written all the same (a full disk) is told
after what was found (``write``, ``refuse``). A file that is all there is to a command, or a pipe,
is written by ``cluster.export.sink.output`` within ``told_if_not_written``.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cluster.exit_codes import TRY_AGAIN, USAGE, CliError


@contextmanager
def told_if_not_written(target: Path) -> Iterator[None]:
    """Tell in a line that ``target``, which ``cluster.export.sink.output`` writes, cannot be.

    Other errors pass, and so does that nobody reads a pipe any more, which is no failure.

    Raises:
        CliError: what was there is there still; with TRY_AGAIN where there is no room.
    """
    from cluster.export.sink import FULL

    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename != str(target):
            raise
        code = TRY_AGAIN if error.errno in FULL else USAGE
        raise CliError(code, "cannot write", f"{target}: {error.strerror}") from None


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
