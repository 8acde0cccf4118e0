"""The directory of one sweep, ``runs/<time>-<name>/``.

    sweep.json        what is swept: axes, measures, versions, host, git state, files, their
                      digests and texts; how far it got; ``complete``
    points/00017.json the result of a point, each there whole or not at all
    results.parquet   all points in one table (or results.csv), once all are there
    lock              who writes it now (``cluster.run_lock``)
    work/             files of points that run now

It is gone on with by running the points that have no result. That is right only if the experiment
and smplab are what they were: each result names the digest of what its point runs, and
``sweep.json`` the digest of smplab's own source.
"""

import json
import re
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cluster.config.experiment import Experiment
from cluster.rundir import (
    SWEEP,
    RunDir,
    RunDirError,
    git_state,
    host,
    newest,
    versions,
    write_atomically,
)
from cluster.sweep.measure import Result, code_digest
from cluster.sweep.workers import LOST

FORMAT: Final = 1
MANIFEST: Final = SWEEP
_POINTS: Final = "points"
_WORK: Final = "work"
_AGAIN: Final = "remove it to have the point run again"


class SweepDirError(Exception):
    """A directory is no sweep's, is damaged, or is of another experiment; one line."""


def sweep_path(named: Path) -> Path:
    """Return the sweep that a command line names: as it is, or the newest for ``latest``.

    Raises:
        SweepDirError: there is no sweep in that folder.
    """
    try:
        return newest(named, MANIFEST, "directory of a sweep", "sweep")
    except RunDirError as error:
        raise SweepDirError(str(error)) from None


class SweepDir:
    """One sweep's directory. ``create`` makes one for a new sweep, ``open`` looks at an old one."""

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    def create(cls, base: Path, experiment: Experiment, digests: Sequence[str]) -> "SweepDir":
        """Make the directory of a sweep that begins now.

        Args:
            base: folder that gets it; made if missing.
            experiment: what is swept.
            digests: of what each point runs, in their order.
        """
        path = RunDir.create(base, experiment.name).path
        try:
            (path / _POINTS).mkdir()
            found = cls(path, _manifest(experiment, digests))
            found._write()
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        return found

    @classmethod
    def open(cls, path: Path) -> "SweepDir":
        """Return the sweep at ``path``.

        Raises:
            SweepDirError: there is none, or it is damaged.
        """
        if not path.is_dir():
            raise SweepDirError(f"{path} is no directory")
        if not (path / MANIFEST).exists():
            raise SweepDirError(f"{path} is no directory of a sweep: it has no {MANIFEST}")
        manifest = _read_json(path / MANIFEST)
        if manifest.get("format") != FORMAT:
            raise SweepDirError(f"{path} is of another version of smplab")
        wanted = {"axes": list, "measure": list, "labels": list, "digests": list, "files": dict}
        for key, kind in wanted.items():
            if not isinstance(manifest.get(key), kind):
                raise SweepDirError(f"{path / MANIFEST} is damaged: it has no {key}")
        if len(manifest["labels"]) != len(manifest["digests"]):
            raise SweepDirError(f"{path / MANIFEST} is damaged: points are missing")
        return cls(path, manifest)

    @property
    def work(self) -> Path:
        """The folder for files of points that run; empty, and made if missing."""
        path = self.path / _WORK
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(exist_ok=True)
        return path.resolve()

    def check(self, experiment: Experiment, digests: Sequence[str]) -> None:
        """See to it that the sweep can be gone on with; its folder of points is made if missing.

        Raises:
            SweepDirError: it is of another experiment, or of another smplab.
        """
        old = self.manifest
        new = _manifest(experiment, digests)
        if old["code"] != new["code"] or old["versions"]["smplab"] != new["versions"]["smplab"]:
            raise SweepDirError(
                f"{self.path} was begun by another smplab (its source has changed since): "
                "begin anew, without --resume"
            )
        if all(old[key] == new[key] for key in ("axes", "measure", "labels", "digests")):
            (self.path / _POINTS).mkdir(exist_ok=True)
            return
        known = {Path(name).name: digest for name, digest in old["files"].items()}
        changed = [
            name for name, digest in new["files"].items() if known.get(Path(name).name) != digest
        ]
        what = " and ".join(changed) if changed else "a program or another file that it names"
        raise SweepDirError(f"{self.path} is of another experiment: {what} has changed since")

    def results(self) -> dict[int, Result]:
        """Return the results that are there, by index; those of points that were lost are not.

        Raises:
            SweepDirError: one is damaged, or no result of this sweep.
        """
        found = {}
        for path in sorted((self.path / _POINTS).glob("*.json")):
            match = re.fullmatch(r"([0-9]{5})\.json", path.name)
            if match is None:
                continue
            result = _result_at(path)
            index = int(match[1])
            good = (
                index < len(self.manifest["digests"])
                and result.get("index") == index
                and result.get("point") == self.manifest["digests"][index]
                and isinstance(result.get("measures"), dict)
                and isinstance(result.get("error"), str)
            )
            if not good:
                raise SweepDirError(f"{path} is damaged: {_AGAIN}")
            if not result.get(LOST):
                found[index] = result
        return found

    def set_down(self, result: Result) -> None:
        """Keep the result of a point. When this returns it stays, whatever happens to the host."""
        index = result["index"]
        data = {**result, "point": self.manifest["digests"][index]}
        write_atomically(self.path / _POINTS / f"{index:05d}.json", _json_bytes(data))

    def write_table(self, name: str, data: bytes) -> Path:
        """Write the table of all results."""
        path = self.path / name
        write_atomically(path, data)
        self.manifest["table"] = {"file": name, "sha256": sha256(data).hexdigest()}
        return path

    def finish(self, failures: int) -> None:
        """Note that all points have results. Last of all."""
        shutil.rmtree(self.path / _WORK, ignore_errors=True)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.manifest.update(complete=True, finished=now, failed=failures)
        self._write()

    def _write(self) -> None:
        write_atomically(self.path / MANIFEST, _json_bytes(self.manifest))


def _manifest(experiment: Experiment, digests: Sequence[str]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": experiment.name,
        "complete": False,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "finished": None,
        "failed": 0,
        "command": sys.argv,
        "axes": list(experiment.axes),
        "measure": list(experiment.measure),
        "labels": [list(point.labels) for point in experiment.points],
        "seeds": [point.seed for point in experiment.points],
        "digests": list(digests),
        "files": dict(experiment.files),
        "texts": dict(experiment.texts),
        "table": None,
        "code": code_digest(),
        "versions": versions(),
        "host": host(),
        "git": git_state(),
    }


def _result_at(path: Path) -> dict[str, Any]:
    """Return what a file of ``points`` has.

    Raises:
        SweepDirError: it cannot be read; says what to do.
    """
    try:
        return _read_json(path)
    except SweepDirError as error:
        raise SweepDirError(f"{error} ({_AGAIN})") from None


def _json_bytes(data: Any) -> bytes:
    return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode("ascii")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise SweepDirError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise SweepDirError(f"{path} is damaged: {error}") from None
    if not isinstance(data, dict):
        raise SweepDirError(f"{path} is damaged: not a JSON object")
    return data
