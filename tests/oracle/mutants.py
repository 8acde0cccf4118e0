"""Mutants of guest programs and configurations: whatever comes in, no traceback comes out.

A mutant of a program is refused with its place, or runs to an end: an exit, a limit, a message of
the guest. A mutant of a configuration is refused with its place, or is one. Anything else is a
finding, printed with the seed that makes it again.

Usage: python -m tests.oracle.mutants [--programs N] [--configs N] [--seed S]
"""

import argparse
import contextlib
import random
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from cluster.build import guest_spec, resolve
from cluster.config.errors import ConfigError
from cluster.config.load import parse_config
from cluster.engine_api import BROKEN, RunRequest
from cluster.local_engine import LocalRun
from workloads.language.compiler import compile_program
from workloads.language.errors import GuestProgramError

TESTS = Path(__file__).resolve().parents[1]
PROGRAMS = sorted((TESTS / "guest").glob("*/*.py"))
CONFIGS = sorted(
    [*(TESTS.parent / "configs").glob("*.yaml"), *(TESTS / "cluster/broken_configs").glob("*.yaml")]
)
_PIECES = (
    "0 1 -1 2**63 1<<70 0.5 nan '' 'a' b'x' '\\ud800' '\\0' None True [] () {} set() [1,2] x os"
    " sys os.fork() print len range(3) lambda: if else for while def return break"
    " continue raise try:"
    " except: finally: with as global del assert pass import in not and or is * ** // %"
    " << ( ) [ ] :"
    " , = == += @ ; \\ \t"
)
_TOKENS = _PIECES.split(" ")
_YAML = (
    "- : { } [ ] , # & * ! | > ' \" % @ ` ~ null true 0 -1 1e400 0x10 9999999999999999999 1ms 5s"
    " 3GiB local ray exact machine cpus seed name workloads program args limits kernel \\0 \x07 é"
)
_WORDS = _YAML.split(" ")


def mutant(numbers: random.Random, text: str, words: list[str]) -> str:
    """Return a text with one to four changes: of lines, of words, of characters."""
    for _ in range(numbers.choice([1, 1, 2, 4])):
        lines = text.split("\n")
        at = numbers.randrange(len(lines))
        kind = numbers.randrange(8)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[numbers.randrange(len(lines))])
        elif kind == 2:
            other = numbers.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 3:
            lines[at] = numbers.choice(["", " ", "    "]) + lines[at].lstrip()
        else:
            parts = lines[at].split(" ")
            place = numbers.randrange(len(parts))
            word = numbers.choice(words)
            if kind == 4:
                parts[place] = word
            elif kind == 5:
                parts.insert(place, word)
            elif parts[place]:
                cut = numbers.randrange(len(parts[place]))
                keep = cut + (kind == 6)
                parts[place] = parts[place][:cut] + word + parts[place][keep:]
            lines[at] = " ".join(parts)
        text = "\n".join(lines)
    return text


def try_program(text: str, folder: Path) -> str:
    """Return what is wrong with how a mutant of a program ends; an empty string if nothing is."""
    try:
        compile_program(text, "mutant.py")
    except GuestProgramError:
        return ""
    path = folder / "mutant.py"
    try:
        path.write_text(text)
    except UnicodeEncodeError:
        return ""
    spec = guest_spec(path, [], cpus=2, trace=False)
    spec.block_budget = 200_000
    spec.guest_memory = 32 << 20
    request = RunRequest(spec, scheme="exact", max_virtual_ns=100_000_000, max_wall_s=0.5)
    result = LocalRun(request).run()
    return f"broken: {result.message}" if result.exit_kind == BROKEN else ""


def try_config(text: str, folder: Path) -> str:
    """Return what is wrong with how a mutant of a configuration is read."""
    with contextlib.suppress(ConfigError, GuestProgramError):
        resolve(parse_config("mutant.yaml", text, folder))
    return ""


def findings(
    count: int,
    seed: int,
    sources: list[Path],
    words: list[str],
    attempt: Callable[[str, Path], str],
) -> list[str]:
    """Try ``count`` mutants; return a line and the traceback of each that goes wrong."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        for number in range(seed, seed + count):
            numbers = random.Random(number)
            source = sources[numbers.randrange(len(sources))]
            text = mutant(numbers, source.read_text(errors="replace"), words)
            try:
                wrong = attempt(text, Path(name))
            except Exception:
                wrong = traceback.format_exc()
            if wrong:
                found.append(f"seed {number}, {source.name}: {wrong}")
    return found


def program_findings(count: int, seed: int) -> list[str]:
    """Try mutants of the suite's guest programs."""
    return findings(count, seed, PROGRAMS, _TOKENS, try_program)


def config_findings(count: int, seed: int) -> list[str]:
    """Try mutants of configurations."""
    return findings(count, seed, CONFIGS, _WORDS, try_config)


def main() -> int:
    """Try as many as the command line says; print what goes wrong."""
    parser = argparse.ArgumentParser(description="Mutants of programs and configurations.")
    parser.add_argument("--programs", type=int, default=3_000)
    parser.add_argument("--configs", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = config_findings(options.configs, options.seed)
    print(f"{options.configs} configurations: {len(found)} findings", flush=True)
    more = program_findings(options.programs, options.seed)
    print(f"{options.programs} programs: {len(more)} findings")
    for one in [*found, *more]:
        print(one)
    return 1 if found or more else 0


if __name__ == "__main__":
    sys.exit(main())
