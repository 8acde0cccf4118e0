"""The directory of one run, ``runs/<time>-<name>/``.

    manifest.json   what ran: configuration as resolved, seed, versions, host, git state; how it
                    ended; ``complete``
    summary.json    what came out; ``digest``, and ``wall`` for host times
    trace.smpt      the trace (written by the engine while it runs)
    outputs.smpo    what guest programs wrote (likewise); missing if nobody wrote anything
    order.log       what the kernel served in which order (likewise); if the run was recorded
    checkpoints/    where the run stood (``cluster.checkpoint``); of one that has ended, nothing
    lock            who writes the run now (``cluster.run_lock``)
    watched, live   of a run that goes on and is watched (``cluster.watched``)
    pacct           BSD accounting records, of a run with kernel.acct

The manifest is there from the start with ``complete: false``, and every file but trace, outputs
and order log appears whole or not at all (written beside, then renamed). So a run that was killed
leaves a valid directory that says it is partial. A directory that exists is never written into by
another run.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from cluster.outputs import OUTPUTS, OutputReader
from cluster.sync import ORDER_LOG

FORMAT: Final = 1
DEFAULT_BASE: Final = "runs"
LATEST: Final = "latest"
SWEEP: Final = "sweep.json"  # what the directory of a sweep has instead of a manifest
CHECKPOINTS: Final = "checkpoints"  # a folder
REQUESTS: Final = "requests.log"  # in it: what the run was asked to do, and what its kernel served
_PACKAGES: Final = ("smplab", "ray", "msgpack")
_GIT_TIMEOUT_S: Final = 10


class RunDirError(Exception):
    """A directory is no run directory, or one of its files cannot be used."""


def write_atomically(path: Path, data: bytes) -> None:
    """Make ``path`` hold ``data``; whoever looks finds the old content or the new, never a part.

    When this returns it stays so, whatever happens to the host.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:  # one of a killed process that had this pid may be there
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _json_bytes(data: Any) -> bytes:
    return (json.dumps(data, indent=2, sort_keys=True) + "\n").encode("ascii")


def versions() -> dict[str, str | None]:
    """Return the versions of Python and of the packages that a run's result may depend on."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def host() -> dict[str, Any]:
    """Return what is worth knowing of the computer that a run's wall times came from."""
    uname = platform.uname()
    return {
        "cpus": os.cpu_count(),
        "kernel": f"{uname.system} {uname.release}",
        "machine": uname.machine,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "node": uname.node,
    }


def git_state(source: Path = Path(__file__)) -> dict[str, Any] | None:
    """Return commit and cleanness of the git checkout that ``source`` is a tracked file of.

    None if there is no git, or ``source`` is not tracked (an installed package inside somebody
    else's checkout).
    """

    # inside a git hook these name another repository
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "--no-optional-locks", "-C", str(source.parent), *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            env=clean,
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", source.name)
        return {
            "commit": git("rev-parse", "HEAD"),
            "dirty": bool(git("status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        return None


def run_path(named: Path) -> Path:
    """Return the run that a command line names: as it is, or the newest for ``latest``.

    ``latest`` is looked for in ``runs``, ``FOLDER/latest`` in FOLDER. A file or folder that has
    that name is meant itself.

    Raises:
        RunDirError: there is no run in that folder.
    """
    return newest(named, "manifest.json", "run directory", "run")


def newest(named: Path, marker: str, kind: str, one: str) -> Path:
    """Return ``named``; for ``latest``, the newest directory of a kind, as in ``run_path``.

    Args:
        named: by a command line.
        marker: a file that directories of this kind have.
        kind: in words, and ``one`` of them, for the error.

    Raises:
        RunDirError: there is none in that folder.
    """
    if named.name != LATEST or named.exists():
        return named
    base = named.parent if len(named.parts) > 1 else Path(DEFAULT_BASE)
    try:
        found = [path for path in base.iterdir() if (path / marker).is_file()]
    except OSError as error:
        raise RunDirError(f"{base}: {error.strerror}: there is no latest {one}") from None
    if not found:
        raise RunDirError(f"{base} holds no {kind}: there is no latest {one}")
    # the time in the name is the begin, in seconds
    return max(found, key=lambda path: (path.name[:15], path.stat().st_mtime_ns, path.name))


def refuse_sweep(path: Path) -> None:
    """Raise RunDirError if the directory at ``path``, where a run is wanted, is a sweep's."""
    if (path / SWEEP).is_file():
        told = "smplab compare and smplab report read it"
        raise RunDirError(f"{path} is a sweep, and no run directory: {told}")


class RunDir:
    """One run directory. ``create`` makes one for a new run, ``open`` looks at an old one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, base: Path, name: str) -> "RunDir":
        """Make ``base/<time>-<name>/`` and return it; a number is added where that exists.

        Args:
            base: made if missing.
            name: of the configuration; what does not belong in a file name becomes ``-``.
        """
        clean = re.sub(r"[^A-Za-z0-9._+-]+", "-", name).strip("-.")[:80] or "run"
        stem = f"{datetime.now():%Y%m%d-%H%M%S}-{clean}"
        base.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = base / (stem if number == 1 else f"{stem}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
                continue
            return cls(path)

    @classmethod
    def open(cls, path: Path) -> "RunDir":
        """Return the run directory at ``path``.

        Raises:
            RunDirError: there is none.
        """
        if not path.is_dir():
            raise RunDirError(f"{path} is no directory")
        if not (path / "manifest.json").is_file():
            refuse_sweep(path)
            raise RunDirError(f"{path} is no run directory: it has no manifest.json")
        return cls(path)

    @property
    def trace_path(self) -> Path:
        """Where the engine writes the trace."""
        return self.path / "trace.smpt"

    def start(self, *, name: str, config: Any, seed: int, command: list[str] | None = None) -> None:
        """Write the manifest of a run that begins now.

        Args:
            config: the configuration as resolved, plain JSON data.
            command: the command line; ``sys.argv`` if None.
        """
        self._write_manifest(
            {
                "format": FORMAT,
                "name": name,
                "complete": False,
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
                "finished": None,
                "exit_kind": None,
                "exit_code": None,
                "message": "",
                "seed": seed,
                "config": config,
                "command": sys.argv if command is None else command,
                "versions": versions(),
                "host": host(),
                "git": git_state(),
            }
        )

    def discard_unstarted(self) -> bool:
        """Remove the directory of a run that ended before its manifest was written; say whether."""
        if (self.path / "manifest.json").exists():
            return False
        shutil.rmtree(self.path, ignore_errors=True)
        return True

    @property
    def order_path(self) -> Path:
        """Where the order log of a run is, if it has one."""
        return self.path / ORDER_LOG

    def write_summary(self, summary: dict[str, Any], digest: str) -> None:
        """Write ``summary.json``: ``summary`` and the run's digest."""
        write_atomically(self.path / "summary.json", _json_bytes({**summary, "digest": digest}))

    def outputs(self) -> OutputReader:
        """Return a reader of what guest programs wrote; one without outputs if nobody did.

        Raises:
            OutputError: the file is damaged, or of another version.
            OSError: it cannot be opened.
        """
        return OutputReader(self.path / OUTPUTS)

    @property
    def acct_path(self) -> Path:
        """Where the BSD accounting records of a run are."""
        return self.path / "pacct"

    @property
    def acct_exact_path(self) -> Path:
        """Where the times are that the accounting records of a run had to round."""
        return self.path / "pacct_exact"

    def write_acct(self, records: bytes, exact: bytes) -> None:
        """Write the run's BSD accounting records, one after the other, and their exact times."""
        write_atomically(self.acct_path, records)
        write_atomically(self.acct_exact_path, exact)

    def finish(
        self, *, exit_kind: str, exit_code: int, message: str = "", complete: bool = True
    ) -> None:
        """Note how the run ended. Last of all: from here on the directory counts as complete.

        Args:
            exit_kind: one of ``cluster.engine_api.EXIT_KINDS``.
            complete: False for a run that was interrupted or broke: what is there is valid, but
                not all.
        """
        manifest = self.manifest()
        manifest.update(
            complete=complete,
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            exit_kind=exit_kind,
            exit_code=exit_code,
            message=message,
        )
        self._write_manifest(manifest)

    def manifest(self) -> dict[str, Any]:
        """Return the manifest. Raises RunDirError if it is missing or damaged."""
        return self._read("manifest.json")

    def summary(self) -> dict[str, Any]:
        """Return the summary. Raises RunDirError if it is missing (a partial run) or damaged."""
        found = self._read("summary.json")
        if not isinstance(found.get("digest"), str):
            raise RunDirError(f"{self.path / 'summary.json'} is damaged: it has no digest")
        return found

    def goes_on(self) -> bool:
        """Return whether the run can be gone on with, from a checkpoint or from its beginning."""
        return (self.path / CHECKPOINTS / REQUESTS).is_file()

    def _write_manifest(self, manifest: dict[str, Any]) -> None:
        write_atomically(self.path / "manifest.json", _json_bytes(manifest))

    def _read(self, name: str) -> dict[str, Any]:
        path = self.path / name
        try:
            if not path.is_file() and path.exists():
                raise RunDirError(f"{path} is no regular file")
            data = json.loads(path.read_bytes())
        except FileNotFoundError:
            told = f"{self.path} has no {name}: the run did not get that far"
            if self.goes_on():
                told += f" (smplab resume {self.path} goes on with it)"
            raise RunDirError(told) from None
        except OSError as error:
            raise RunDirError(f"{path} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise RunDirError(f"{path} is damaged: {error}") from None
        if not isinstance(data, dict):
            raise RunDirError(f"{path} is damaged: not a JSON object")
        return data
