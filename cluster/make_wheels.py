"""Builds the wheels, as ``make wheel`` does: one of Python only, and compiled ones.

    python -m cluster.make_wheels [-o DIR] [--pure] [PYTHON …]

The pure one is what hatchling makes of the tree, and installs anywhere. A compiled one is the same
with an import root of ``cluster.compile_core`` in ``cluster/shipped_core``, where
``cluster.fast_core`` finds it, and the tag of the interpreter that it was compiled for. Where both
fit, pip takes the compiled one. The core is compiled in an environment of that interpreter, from
the sources of the pure wheel and not from the tree, so its key is that of the files it is installed
with.

The platform's tag is the plain one of this host (``linux_x86_64``): the wheels are for hosts like
this one, and not for an index. Each wheel appears under its name when it is whole.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cluster import fast_core

PYTHONS: Final = ("python3.11", "python3.12", "python3.13")
_TOOLS: Final = ("mypy", "mypy_extensions", "setuptools")
# prints the tags of a compiled wheel
_TAGS: Final = """
import sys, sysconfig
version = f"cp{sys.version_info[0]}{sys.version_info[1]}"
platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
print(f"{version}-{version}{sys.abiflags}-{platform}")
"""


class CannotBuild(Exception):
    """A wheel cannot be built; the message says which and why."""


def pure_wheel(out: Path, *options: str) -> Path:
    """Build the wheel of Python only; return its path.

    Args:
        out: an empty folder for it.
        options: of ``pip wheel``.
    """
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    where = ["--no-deps", "--wheel-dir", str(out), str(fast_core.ROOT)]
    _run("the pure wheel", [*pip, *options, *where])
    [made] = out.glob("*.whl")
    return made


def compiled_wheel(pure: Path, root: Path, tag: str, out: Path) -> Path:
    """Build a wheel with a compiled core; return its path.

    Args:
        pure: the pure wheel.
        root: the import root that was compiled from its sources; its name is the key.
        tag: of the interpreter it was compiled for, as ``cp311-cp311-linux_x86_64``.
        out: an empty folder for it.
    """
    with tempfile.TemporaryDirectory() as folder:
        unpacked = _unpacked(pure, Path(folder))
        shipped = unpacked / fast_core.SHIPPED.relative_to(fast_core.ROOT) / root.name
        # pip compiles what it installs; the byte code here knows other paths
        shutil.copytree(root, shipped, ignore=shutil.ignore_patterns("__pycache__"))
        [described] = unpacked.glob("*.dist-info/WHEEL")
        lines = [
            line
            for line in described.read_text("utf-8").splitlines()
            if line and not line.startswith(("Tag:", "Root-Is-Purelib:"))
        ]
        lines += ["Root-Is-Purelib: false", f"Tag: {tag}", ""]
        described.write_text("\n".join(lines), "utf-8")
        _run(tag, [sys.executable, "-m", "wheel", "pack", "--dest-dir", str(out), str(unpacked)])
    [made] = out.glob("*.whl")
    return made


def _unpacked(pure: Path, folder: Path) -> Path:
    """Return the folder with the files of a wheel."""
    _run(pure.name, [sys.executable, "-m", "wheel", "unpack", "--dest", str(folder), str(pure)])
    [unpacked] = folder.iterdir()
    return unpacked


def compile_for(python: str, pure: Path, folder: Path) -> tuple[Path, str]:
    """Compile the core of a wheel for an interpreter; return its import root, and the tag.

    Args:
        python: the interpreter's command.
        folder: an empty one, for all that is needed on the way.
    """
    environment = folder / "venv"
    _run(python, [python, "-m", "venv", str(environment)])
    its = str(environment / "bin" / "python")
    pins = fast_core.ROOT / ".ci" / "constraints.txt"
    limits = ["-c", str(pins)] if pins.is_file() else []
    _run(python, [its, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                  "--no-input", *limits, *_TOOLS])  # fmt: skip
    unpacked = folder / "unpacked"
    unpacked.mkdir()
    cache = folder / "cache"
    found = {
        **os.environ,
        "PYTHONPATH": str(_unpacked(pure, unpacked)),
        "XDG_CACHE_HOME": str(cache),
    }
    _run(python, [its, "-m", "cluster.compile_core"], cwd=folder, env=found)
    roots = [path for path in (cache / "smplab" / "fast").iterdir() if path.is_dir()]
    [root] = roots
    tag = subprocess.run([its, "-c", _TAGS], capture_output=True, text=True, check=True)
    return root, tag.stdout.strip()


def _runs(python: str) -> bool:
    """Tell whether a command is a Python; some are only there to say that it is not installed."""
    try:
        done = subprocess.run([python, "-c", ""], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _run(what: str, command: Sequence[str], **options: object) -> None:
    """Run a command; what it says is told if it fails.

    Raises:
        CannotBuild: it failed, or is not there.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    except OSError as error:
        raise CannotBuild(f"{what}: {command[0]}: {error.strerror}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it says nothing"]
        raise CannotBuild(f"{what}: exit code {done.returncode}: " + "\n    ".join(said[-10:]))


def wheels(out: Path, pythons: Sequence[str]) -> Iterator[Path | CannotBuild]:
    """Build the pure wheel, and one for each interpreter; yield each, or why it is not there."""
    out = out.resolve()  # the compiler runs in another folder
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tmp-", dir=out) as folder:
        place = Path(folder)
        (place / "pure").mkdir()
        try:
            pure = pure_wheel(place / "pure")
        except CannotBuild as error:
            yield error
            return
        for number, python in enumerate(pythons):
            work = place / str(number)
            (work / "wheel").mkdir(parents=True)
            try:
                root, tag = compile_for(python, pure, work)
                made = compiled_wheel(pure, root, tag, work / "wheel")
            except CannotBuild as error:
                yield error
                continue
            yield made.replace(out / made.name)
        yield pure.replace(out / pure.name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 1 if a wheel that was asked for is not there."""
    parser = argparse.ArgumentParser(prog="cluster.make_wheels", description="Build the wheels.")
    parser.add_argument("-o", "--output", type=Path, default=Path("dist"), help="the folder")
    parser.add_argument("--pure", action="store_true", help="only the one of Python only")
    parser.add_argument(
        "pythons", nargs="*", metavar="PYTHON", help=f"compile for these; else {', '.join(PYTHONS)}"
    )
    options = parser.parse_args(arguments)
    if not fast_core.in_source_tree():
        parser.error("wheels are built of a source tree, and this smplab is installed")
    asked: Sequence[str] = () if options.pure else options.pythons
    if not options.pure and not options.pythons:
        asked = [name for name in PYTHONS if _runs(name)]
        for name in PYTHONS:
            if name not in asked:
                print(f"{name}: not on PATH, so there is no wheel for it", file=sys.stderr)
    failed = False
    for made in wheels(options.output, asked):
        if isinstance(made, CannotBuild):
            print(f"not built: {made}", file=sys.stderr)
            failed = True
        else:
            print(made, flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
