"""One driver for a run: ``RUN/lock``.

The lock is the operating system's, on the open file, so it ends with whoever holds it, however that
happens. What the file says is for people, and for hosts that share the folder but not the locks:
pid, boot of the host, and the host's name.
"""

import errno
import fcntl
import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

LOCK: Final = "lock"  # in a run directory
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class RunInUse(Exception):
    """Somebody drives this run; the message says who."""


def boot_id() -> str:
    """Return what tells this boot of this host from any other; "" where that is not known."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""


class RunLock:
    """Holds the lock of a run directory. A context manager.

    Args:
        run: the run directory.

    Raises:
        RunInUse: another process has it, or may have it on another host.
        OSError: the file cannot be made.
    """

    def __init__(self, run: Path) -> None:
        self._path = run / LOCK
        while not self._taken(run):
            pass

    def _taken(self, run: Path) -> bool:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._take(run)
            # whoever had it may have removed the file between our two steps
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._file), self._path.stat()):
                    return True
        except BaseException:
            os.close(self._file)
            raise
        os.close(self._file)
        return False

    def _take(self, run: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise RunInUse(f"{run} is being written by {_who(self._owner())}") from None
        owner = self._owner()
        if owner.get("host", socket.gethostname()) != socket.gethostname():
            raise RunInUse(
                f"{run} may still be written by {_who(owner)}: remove {self._path} if it is not"
            )
        told = {"pid": os.getpid(), "boot": boot_id(), "host": socket.gethostname()}
        data = json.dumps(told).encode("utf-8")
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, data, 0)

    def _owner(self) -> dict[str, Any]:
        try:
            found = json.loads(os.pread(self._file, 4096, 0))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def __enter__(self) -> "RunLock":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the lock up, and remove its file. Again is allowed."""
        if self._file < 0:
            return
        self._path.unlink(missing_ok=True)
        os.close(self._file)
        self._file = -1


def _who(owner: dict[str, Any]) -> str:
    who = f"process {owner['pid']}" if "pid" in owner else "another process"
    host = owner.get("host")
    return f"{who} on {host}" if host and host != socket.gethostname() else who


def is_driven(run: Path) -> bool:
    """Return whether somebody writes a run now, as far as its files tell.

    Of one on another host that cannot be said; then it counts as driven.
    """
    try:
        data = (run / LOCK).read_bytes()
    except OSError:
        return False
    try:
        owner = json.loads(data)
        pid, boot, host = owner["pid"], owner["boot"], owner["host"]
    except (ValueError, TypeError, KeyError):
        return not data  # just being written
    if host != socket.gethostname():
        return True
    if boot != boot_id():
        return False
    return _lives(pid)


def _lives(pid: Any) -> bool:
    """Return whether there is such a process, and it has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError, TypeError):
        return True  # somebody else's
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2]
    except OSError:
        return True
    return state.split()[0] not in ("Z", "X")
