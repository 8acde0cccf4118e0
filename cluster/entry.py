"""Where the command ``smplab`` begins: signals and standard streams first, then everything else.

The imports of the command line take a good part of a second. From the first line on Ctrl-C and
SIGTERM end the program with one line and the documented code, not with a traceback; nothing is
there yet that had to be kept. A command changes that when it begins (``cluster.cli.interrupts``).

Standard streams are made such that nothing else needs to think of them. A descriptor that is
closed would be given to the next file that is opened, a trace say; so it is filled first. What
cannot be written to standard error is lost without error: the exit code tells how it went. What
cannot be written to standard output is an error (``finish_stdout``).
"""

import atexit
import contextlib
import io
import os
import signal
import sys
from types import FrameType
from typing import Any, Final, NoReturn

_WORDS: Final = {
    signal.SIGINT: (130, b"smplab: interrupted: stopped by Ctrl-C\n"),
    signal.SIGTERM: (143, b"smplab: interrupted: stopped by SIGTERM\n"),
}


def end_at_once(number: int, frame: FrameType | None = None) -> NoReturn:
    """End the process by a signal that came where there is nothing to keep."""
    code, line = _WORDS[signal.Signals(number)]
    with contextlib.suppress(OSError):
        os.write(2, line)
    os._exit(code)


def catch_early() -> None:
    """Let Ctrl-C and SIGTERM end the program with one line from here on."""
    for number in _WORDS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, a shell's background job
            signal.signal(number, end_at_once)


class NamedStdout(io.TextIOWrapper):
    """Standard output whose errors say that it is standard output."""

    def write(self, text: str) -> int:
        """Write, as always."""
        try:
            return super().write(text)
        except OSError as error:
            raise _named(error) from None

    def flush(self) -> None:
        """Flush, as always."""
        try:
            super().flush()
        except OSError as error:
            raise _named(error) from None


def _named(error: OSError) -> OSError:
    return OSError(error.errno, error.strerror, "standard output")


class LossyStderr(io.TextIOWrapper):
    """Standard error that loses what cannot be written, and everything after it."""

    def write(self, text: str) -> int:
        """Write, or lose it."""
        try:
            return super().write(text)
        except OSError:
            self._lose()
            return len(text)

    def flush(self) -> None:
        """Flush, or lose what was left."""
        try:
            super().flush()
        except OSError:
            self._lose()

    def _lose(self) -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def fill_streams() -> None:
    """Open what of descriptors 0 to 2 is closed, and make standard error lossy.

    A closed standard output becomes one that nothing can be written to (EBADF, as before).
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = _writer(NamedStdout, 1, sys.stdout, "strict")
    sys.stderr = _writer(LossyStderr, 2, sys.stderr, "backslashreplace")


def _writer(kind: type[io.TextIOWrapper], number: int, before: Any, errors: str) -> Any:
    """Return a stream over a descriptor, with the encoding of the one that Python made."""
    return kind(
        io.BufferedWriter(io.FileIO(number, "w", closefd=False)),
        encoding=getattr(before, "encoding", None) or "utf-8",
        errors=getattr(before, "errors", None) or errors,
        line_buffering=number == 2 or os.isatty(number),
    )


def main() -> NoReturn:
    """Run the command line of this process and exit with its code."""
    catch_early()
    fill_streams()
    from cluster.cli import common
    from cluster.cli.interrupts import catch_signals
    from cluster.cli.main import finish_stdout, run_command

    catch_signals()
    common.keeps_programs = True
    code = run_command(sys.argv[1:])
    catch_early()  # what there was to keep is kept
    code = finish_stdout(code)
    session = sys.modules.get("cluster.ray_session")
    if session is None or not session.abandoned:
        # Ray's exit handlers would else wait for what does not answer
        atexit._run_exitfuncs()
    sys.stderr.flush()
    # the interpreter's own end would take a signal without a word, and die of a KeyboardInterrupt
    # that passed through exec() of a text long ago
    os._exit(finish_stdout(code))


if __name__ == "__main__":
    main()
