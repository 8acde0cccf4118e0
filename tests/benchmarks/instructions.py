"""Instructions per lifecycle (fork, exec, exit, wait): a figure that other load leaves alone.

The storm of lifecycles.py runs at two lengths under ``valgrind --tool=cachegrind``; the difference,
divided by the lifecycles between them, is free of what comes before and after the loop. It is
taken for each core that there is (the compiled one only if it has been built: ``make fast``).
With --commands also whole commands are counted, from the first instruction to the last.

An instruction is not a time: a cache miss costs the same as an addition here. But two counts of the
same code differ by a thousandth, whatever else runs, so a change of one part in a hundred is seen.

Usage: python tests/benchmarks/instructions.py [--short N] [--long N] [--core CORE] [--json FILE]
       python tests/benchmarks/instructions.py --commands     # smplab --help, smplab guest …, too
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cluster import fast_core

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
HELLO: Final = """import os
import sys

pid = os.fork()
if pid == 0:
    os._exit(7)
_, status = os.waitpid(pid, 0)
print("child exited with", os.waitstatus_to_exitcode(status))
sys.exit(0)
"""
STORM: Final = """name: instructions
machine: {cpus: 4}
workloads:
  - program: fork_exec_storm
    params: {parents: 4, children: 5}
"""
_TOTAL: Final = re.compile(r"I\s+refs:\s+([\d,]+)")


class CannotCount(Exception):
    """Valgrind is missing, or what it ran failed; the message says what."""


def total_of(report: str) -> int:
    """Return the instructions that a report of cachegrind gives as the sum.

    Raises:
        CannotCount: there is no sum in it.
    """
    found = _TOTAL.findall(report)
    if not found:
        raise CannotCount(f"no count in what valgrind wrote: {report[-400:]!r}")
    return int(found[-1].replace(",", ""))


def environment(core: str, folder: Path) -> dict[str, str]:
    """Return the environment of what is counted: byte code on disk, one hash seed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    own = {"PYTHONPYCACHEPREFIX": str(folder / "pycache"), "PYTHONHASHSEED": "0"}
    return {**kept, **own, fast_core.VARIABLE: core}


def count(
    command: list[str], core: str, folder: Path, more: Mapping[str, str] | None = None
) -> int:
    """Return the instructions of a command, which must end with 0, on a core.

    ``more``: of its environment.
    """
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    env = {**environment(core, folder), **(more or {})}
    done = subprocess.run([*tool, *command], cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise CannotCount(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-400:]}")
    return total_of(done.stderr)


def per_lifecycle(core: str, short: int, long: int, folder: Path) -> dict[str, Any]:
    """Count the storm at two lengths (in lifecycles) and return both counts and the quotient."""
    storm = [sys.executable, str(Path(__file__).resolve()), "--storm"]
    warm = environment(core, folder)
    subprocess.run([*storm, "64"], cwd=folder, env=warm, check=True, capture_output=True)
    few = count([*storm, str(short)], core, folder)
    many = count([*storm, str(long)], core, folder)
    return {"short": few, "long": many, "per_lifecycle": (many - few) / (long - short)}


def commands(core: str, folder: Path) -> dict[str, int]:
    """Count whole commands; each runs once before, so that caches on disk are there."""
    (folder / "hello.py").write_text(HELLO, "utf-8")
    (folder / "storm.yaml").write_text(STORM, "utf-8")
    smplab = [sys.executable, "-m", "cluster.entry"]
    lines = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "smplab --help": [*smplab, "--help"],
        "smplab guest hello.py": [*smplab, "guest", "hello.py"],
        "smplab run, 20 lifecycles": [*smplab, "run", "storm.yaml", "--engine", "local"],
    }
    counted = {}
    for name, line in lines.items():
        subprocess.run(
            line, cwd=folder, env=environment(core, folder), check=True, capture_output=True
        )
        counted[name] = count(line, core, folder)
    return counted


def cores(chosen: str | None) -> list[str]:
    """Return the cores to measure: the chosen one, or all that there are."""
    if chosen is not None:
        return [chosen]
    if fast_core.find() is None:
        print("the compiled core has not been built (make fast): pure only", file=sys.stderr)
        return ["pure"]
    return ["compiled", "pure"]


def run_storm(lifecycles: int) -> None:
    """Run the storm of lifecycles.py in this process."""
    sys.path.insert(0, str(HERE))
    import lifecycles as benchmark

    benchmark.emulated(lifecycles, "local")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Take all counts and return them."""
    if shutil.which("valgrind") is None:
        raise CannotCount("valgrind is not installed")
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    found: dict[str, Any] = {
        "commit": head.stdout.strip(),
        "python": platform.python_version(),
        "executable": os.path.realpath(sys.executable),
        "lifecycles": [options.short, options.long],
        "cores": {},
        "commands": {},
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for core in cores(options.core):
            found["cores"][core] = per_lifecycle(core, options.short, options.long, folder)
            if options.commands:
                found["commands"][core] = commands(core, folder)
    return found


def show(found: dict[str, Any]) -> None:
    """Print the counts as a table."""
    print(f"commit {found['commit']}, Python {found['python']} ({found['executable']})")
    short, long = found["lifecycles"]
    print(f"{'core':28} {f'{short:,} lifecycles':>18} {f'{long:,} lifecycles':>18} {'each':>12}")
    for core, row in found["cores"].items():
        print(f"{core:28} {row['short']:18,} {row['long']:18,} {row['per_lifecycle']:12,.0f}")
    for core, rows in found["commands"].items():
        for name, instructions in rows.items():
            print(f"{f'{name} ({core})':40} {instructions / 1e6:12,.1f} million")


def main() -> int:
    """Count, print, and write the file that --json names; return the exit code."""
    parser = argparse.ArgumentParser(description="Instructions per lifecycle, by valgrind.")
    parser.add_argument("--short", type=int, default=1_280, help="lifecycles of the short run")
    parser.add_argument("--long", type=int, default=3_840, help="lifecycles of the long run")
    parser.add_argument("--core", choices=("compiled", "pure"), help="only this core")
    parser.add_argument("--commands", action="store_true", help="count whole commands as well")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--storm", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.storm is not None:
        run_storm(options.storm)
        return 0
    try:
        found = measure(options)
    except CannotCount as error:
        print(f"instructions: {error}", file=sys.stderr)
        return 1
    show(found)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
