"""Checkpoints of a run on disk, ``RUN/checkpoints/``: written in two phases, read with suspicion.

    requests.log     the machine, and all that its kernel served so far: it only grows
    NNNNNN.part      the state of all logical processes after some round
    NNNNNN.manifest  says that checkpoint N is whole, and how long the run's files were then

The kernel cannot be set down as data; its checkpoint is the log of what it served (decision 0007),
which is shared by all checkpoints of a run: each says up to where it counts.

Writing. The part is written beside, made durable and renamed, the log and the run's other files are
made durable, and only then the manifest appears in the same way. So whoever is killed at any place
leaves the checkpoint before, whole. Two are kept.

Reading. Nothing is believed: every file has a magic number, a version, checksums, and the number of
the run that wrote it; the manifest says how long the part and the log are and what their checksums
are, which code wrote them (paths are a matter of the version: decision 0007) and for which machine.
A file that is not as it should be makes its checkpoint useless, never a wrong state. Data only:
msgpack, no pickle, nothing that is read is executed.
"""

import errno
import hashlib
import os
import secrets
import shutil
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import IO, Any, Final

import msgpack

from cluster import framed
from cluster.framed import DamagedFile, FramedFile
from cluster.rundir import CHECKPOINTS as FOLDER
from cluster.rundir import REQUESTS as LOG
from cluster.rundir import write_atomically

_KEPT: Final = 2
_SPARE_BYTES: Final = 1 << 20  # of a disk, which no checkpoint takes: a run must be able to end

_LOG: Final = 1  # what a file is
_PART: Final = 2
_MANIFEST: Final = 3

SERVED: Final = 1  # kinds of frames in the log: entries, see ``codec.ServedLog``
_FACTS: Final = 1  # of the manifest's only frame

_PACKAGES: Final = ("cluster", "kernel", "workloads")


@cache
def code_hash() -> str:
    """Return a hash of smplab's own code and the interpreter: a checkpoint is good for these."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            data = path.read_bytes()
            digest.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode())
            digest.update(data)
    return digest.hexdigest()


def config_hash(config: dict[str, Any]) -> str:
    """Return a hash of what a run was asked to do."""
    packed = msgpack.packb(config, unicode_errors="surrogatepass")
    return hashlib.sha256(packed).hexdigest()


@dataclass(slots=True)
class Checkpoint:
    """One checkpoint, read and checked.

    Attributes:
        epoch: its number.
        sections: the states of the logical processes, by kind.
        position: how far the run's files had been written (``Recorder.position``).
        log_bytes: how much of the log counts.
        log_crc: its checksum up to there.
        virtual_ns: virtual time it was taken at.
        supersteps: how many there had been.
    """

    epoch: int
    sections: dict[int, bytes]
    position: dict[str, tuple[int, int]]
    log_bytes: int
    log_crc: int
    virtual_ns: int
    supersteps: int


class CheckpointWriter:
    """Writes the checkpoints of one run.

    Args:
        run: the run directory.
        config: what the run was asked to do, plain data: all that is needed to go on with it.
        after: go on after this checkpoint; what came later is removed. None: a new run.

    Raises:
        OSError: by everything here: it cannot be written. The checkpoints before stay whole.
    """

    def __init__(self, run: Path, config: dict[str, Any], after: Checkpoint | None = None) -> None:
        self._folder = run / FOLDER
        self._config_hash = config_hash(config)
        self._code_hash = ""
        self.epoch = 0
        if after is not None:
            self._go_on(after)
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self._run = secrets.token_hex(8)
        head = framed.preamble(_LOG, {"run": self._run, "config": config})
        _check_room(self._folder, len(head))
        self._log: IO[bytes] = (self._folder / LOG).open("xb", buffering=0)
        self._log_bytes = self._log_crc = 0
        try:
            self._write_log(head)
        except BaseException:
            self._log.close()
            (self._folder / LOG).unlink()  # half a head says nothing
            raise

    def _go_on(self, after: Checkpoint) -> None:
        path = self._folder / LOG
        with FramedFile(path, _LOG) as log:
            self._run = log.header["run"]
        self._log = path.open("r+b", buffering=0)
        self._log.truncate(after.log_bytes)
        self._log.seek(after.log_bytes)
        self._log_bytes, self._log_crc = after.log_bytes, after.log_crc
        self.epoch = after.epoch
        for epoch, manifest in _manifests(self._folder):
            if epoch > after.epoch:
                manifest.unlink()
        self._clean(after.epoch)

    def log(self, entries: bytes) -> None:
        """Append to the log of what the kernel served."""
        if entries:
            for frame in framed.frames(SERVED, entries):
                self._write_log(frame)

    def commit(
        self, sections: dict[int, bytes], position: dict[str, Any], virtual_ns: int, supersteps: int
    ) -> None:
        """Write a checkpoint: of all that was handed to ``log``, and this.

        Args:
            sections: the states of the logical processes, by kind.
            position: how far the run's files are written, and durable.
            virtual_ns: virtual time.
            supersteps: made so far.
        """
        epoch = self.epoch + 1
        self._code_hash = self._code_hash or code_hash()
        part = [framed.preamble(_PART, {"run": self._run, "epoch": epoch})]
        for kind, raw in sections.items():
            part += framed.frames(kind, raw)
        data = b"".join(part)
        _check_room(self._folder, len(data))
        write_atomically(self._folder / f"{epoch:06}.part", data)
        os.fsync(self._log.fileno())
        facts = {
            "part": [len(data), zlib.crc32(data)],
            "log": [self._log_bytes, self._log_crc],
            "position": position,
            "virtual_ns": virtual_ns,
            "supersteps": supersteps,
        }
        header = {
            "run": self._run,
            "epoch": epoch,
            "code": self._code_hash,
            "config": self._config_hash,
        }
        manifest = [framed.preamble(_MANIFEST, header)]
        manifest += framed.frames(_FACTS, msgpack.packb(facts))
        write_atomically(self._folder / f"{epoch:06}.manifest", b"".join(manifest))
        self.epoch = epoch
        self._clean(epoch)

    def close(self) -> None:
        """Close the log; the checkpoints stay."""
        self._log.close()

    def _write_log(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = self._log.write(view)
            view = view[written:]
        self._log_bytes += len(data)
        self._log_crc = zlib.crc32(data, self._log_crc)

    def _clean(self, epoch: int) -> None:
        """Remove what is older than the checkpoints that are kept, manifests first, and litter."""
        for number, path in _manifests(self._folder):
            if number <= epoch - _KEPT:
                path.unlink()
        for path in sorted(self._folder.iterdir()):
            old = path.suffix == ".part" and not epoch - _KEPT < _number(path) <= epoch
            if old or path.suffix == ".tmp":
                path.unlink()


def _check_room(folder: Path, size: int) -> None:
    """Raise OSError unless there is room for so many bytes, and for what ends a run."""
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if disk.f_blocks and free < size + _SPARE_BYTES:
        wanted = f"{size} bytes and {_SPARE_BYTES} to spare"
        raise OSError(errno.ENOSPC, f"no room for a checkpoint: {wanted}, {free} are free")


def _number(path: Path) -> int:
    return int(path.stem) if path.stem.isdecimal() else -1


def _manifests(folder: Path) -> list[tuple[int, Path]]:
    """Return number and path of every manifest, the newest first."""
    found = [(_number(path), path) for path in folder.glob("*.manifest") if path.stem.isdecimal()]
    return sorted(found, reverse=True)


def there_are(run: Path) -> bool:
    """Return whether a run has checkpoints."""
    return bool(_manifests(run / FOLDER))


def remove(run: Path) -> None:
    """Remove the checkpoints of a run that has ended and been recorded."""
    shutil.rmtree(run / FOLDER, ignore_errors=True)


class CheckpointReader:
    """What a run left to go on from.

    Args:
        run: the run directory.

    Attributes:
        config: what the run was asked to do.

    Raises:
        DamagedFile: there is nothing, or the log has no readable head.
    """

    def __init__(self, run: Path) -> None:
        self._run_folder = run
        self._folder = run / FOLDER
        self._path = self._folder / LOG
        if not self._path.exists():
            raise DamagedFile(f"{run} has no checkpoints")
        with FramedFile(self._path, _LOG) as log:
            header = log.header
        self._run = header.get("run")
        self.config: dict[str, Any] = header.get("config", {})
        if not isinstance(self._run, str) or not isinstance(self.config, dict):
            raise DamagedFile(f"{self._path} is damaged: its header is another one")
        self._config_hash = config_hash(self.config)

    def manifests(self) -> list[Path]:
        """Return the manifests there are, the newest first."""
        return [path for _, path in _manifests(self._folder)]

    def read(self, manifest: Path) -> Checkpoint:
        """Return the checkpoint of a manifest.

        Raises:
            DamagedFile: the manifest, its part or the log is not as it was written, or is another
                run's or another version's.
        """
        with FramedFile(manifest, _MANIFEST) as file:
            header = file.header
            facts = framed.unpacked(manifest, file.sections().get(_FACTS, b""))
        epoch = _number(manifest)
        self._check_origin(manifest, header, epoch)
        if header.get("config") != self._config_hash:
            raise DamagedFile(f"{manifest} is of a run with another configuration")
        if header.get("code") != code_hash():
            raise DamagedFile(f"{manifest} was written by another version of smplab")
        try:
            part_bytes, part_crc = facts["part"]
            log_bytes, log_crc = facts["log"]
            files = [(str(name), (size, crc)) for name, (size, crc) in facts["position"].items()]
            found = Checkpoint(
                epoch,
                {},
                dict(files),
                log_bytes,
                log_crc,
                facts["virtual_ns"],
                facts["supersteps"],
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise DamagedFile(f"{manifest} is damaged: its frame is another one") from None
        part = manifest.with_suffix(".part")
        _check_sum(part, part_bytes, part_crc, whole=True)
        with FramedFile(part, _PART) as file:
            self._check_origin(part, file.header, epoch)
            found.sections = file.sections()
        _check_sum(self._path, log_bytes, log_crc)
        for name, (size, crc) in files:
            if size:
                _check_sum(self._run_folder / name, size, crc)
        return found

    def served(self, checkpoint: Checkpoint) -> Iterator[bytes]:
        """Yield the entries of the log up to a checkpoint, in pieces of any length."""
        with FramedFile(self._path, _LOG, checkpoint.log_bytes) as log:
            for kind, raw in log:
                if kind != SERVED:
                    raise DamagedFile(f"{self._path} has a frame of unknown kind {kind}")
                yield raw

    def _check_origin(self, path: Path, header: dict[str, Any], epoch: int) -> None:
        if header.get("run") != self._run:
            raise DamagedFile(f"{path} is of another run")
        if header.get("epoch") != epoch:
            raise DamagedFile(f"{path} is of another checkpoint: {header.get('epoch')!r}")


def last_whole(
    run: Path, notice: Callable[[str], None]
) -> tuple[Checkpoint, Callable[[], Iterator[bytes]]] | None:
    """Return the last whole checkpoint of a run and what reads the log up to it; None: none is.

    Args:
        run: the run directory.
        notice: is told in one line of each that cannot be used.
    """
    try:
        reader = CheckpointReader(run)
    except DamagedFile as error:
        notice(str(error))
        return None
    for manifest in reader.manifests():
        try:
            found = reader.read(manifest)
        except DamagedFile as error:
            notice(str(error))
            continue
        return found, partial(reader.served, found)
    return None


def _check_sum(path: Path, size: int, crc: int, *, whole: bool = False) -> None:
    """Raise DamagedFile unless a file's first bytes, or all of it, have this checksum."""
    try:
        with path.open("rb") as file:
            left, found = size, 0
            while left and (data := file.read(min(left, 1 << 20))):
                found = zlib.crc32(data, found)
                left -= len(data)
            more = whole and file.read(1)
    except (OSError, TypeError) as error:
        raise DamagedFile(f"{path} cannot be read: {error}") from None
    if left or more:
        raise DamagedFile(f"{path} does not have the {size} bytes that were written")
    if found != crc:
        raise DamagedFile(f"{path} is damaged: wrong checksum")
