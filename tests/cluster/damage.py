"""Files of a killed run, damaged in many ways: none may be read as another state."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cluster.framed import DamagedFile
from cluster.recorder import STREAMED
from cluster.resume import NoResumption, Resumed


def damages(path: Path, step: int) -> Iterator[bytes]:
    """Yield versions of a file: bytes flipped, the end cut off, parts missing or twice."""
    data = path.read_bytes()
    for place in range(0, len(data), step):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        yield bytes(changed)
    for place in range(0, len(data), step):
        yield data[:place]
    middle = len(data) // 2
    yield data[middle:]
    yield data[:middle] + data[middle + 1 :]
    yield data[:middle] + b"\0" + data[middle:]
    yield data[middle:] + data[:middle]
    yield b""


def read_all(folder: Path) -> list[Any] | None:
    """Return what each checkpoint of a run is read as; None: it is refused."""
    try:
        resumed = Resumed(folder, print)
    except NoResumption:
        return None
    found: list[Any] = []
    for manifest in resumed._manifests:
        try:
            checkpoint = resumed._reader.read(manifest)
            served = b"".join(resumed._reader.served(checkpoint))
            found.append((checkpoint, served))
        except DamagedFile:
            found.append(None)
    return found


def check_damages(left: Path, folder: Path, most: int) -> int:
    """Damage each file of a killed run, about so many times each, and read what is left.

    Args:
        left: the run's directory.
        folder: gets a copy of it.
        most: how often, each file.

    Returns:
        How often all together.
    """
    shutil.copytree(left, folder)
    sound = read_all(folder)
    assert all(sound)
    tried = 0
    paths = [
        *sorted((folder / "checkpoints").iterdir()),
        *(folder / name for name in STREAMED if (folder / name).exists()),
    ]
    for path in paths:
        data = path.read_bytes()
        for changed in damages(path, max(1, 2 * len(data) // most)):
            path.write_bytes(changed)
            found = read_all(folder)
            tried += 1
            if found is not None:
                assert all(one in (None, right) for one, right in zip(found, sound))
        path.write_bytes(data)
    assert read_all(folder) == sound
    return tried
