"""The blocks of README.md and of the pages in docs: run, and compared with what they show.

    python docs/blocks.py               refresh the outputs of all pages
    python docs/blocks.py README.md     of one page
    python docs/blocks.py --list        what is done with each block

tests/docs/test_blocks.py runs the same and compares. What a block is follows from how it looks, and
from HTML comments right above it, which no reader sees:

    $ command         a console block: every command runs; lines after it are what it prints on a
                      terminal (both streams), none if only that it succeeds counts; a line ``…``
                      stands for any number of lines. ``runs/…`` in a command is the newest run
    <!-- file: X -->  what X holds: it is there for the other blocks of its page. smplab diff must
                      find no difference in a program, a configuration must be valid, and a litmus
                      test end as its comment says
    <!-- script -->   Python that must run; a run directory in it is replaced by the newest one
    <!-- run: C -->   the command C has made the newest run before the block
    <!-- exit: N -->  its commands end with exit code N
    <!-- soak -->     it takes a minute or more: make soak runs it, make test does not
    <!-- figure: F -->  one of its commands makes the file F, which stands beside the page

Everything else must be in NOT_RUN with a reason. Files that no page shows are in docs/examples.
What differs from run to run and from host to host is in MASKS.
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cluster.exit_codes import INCONCLUSIVE, OK

ROOT: Final = Path(__file__).resolve().parent.parent
EXAMPLES: Final = ROOT / "docs" / "examples"
ELISION: Final = "…"
NEWEST: Final = "runs/…"

# (page, first line of a block, or a command of a console block) -> why it is not run
NOT_RUN: Final[dict[tuple[str, str], str]] = {
    ("README.md", "guest programs (Python that also runs on real Linux)          configs/*.yaml"): (
        "a drawing"
    ),
    (
        "README.md",
        "make run     # a fork-exec storm on 8 CPU actors and a kernel actor; starts and",
    ): ("installs packages and starts a Ray of its own; tests/cluster/test_ray_engine.py runs Ray"),
    (
        "docs/top.md",
        "smplab top latest        # the newest run in runs: as it goes, or from its beginning",
    ): ("needs a terminal; tests/cluster/top presses the keys"),
    ("README.md", "smplab diff tests/guest --seeds 20 --cpus 1,2,64 --granularity step"): (
        "runs 600 programs; tests/cluster/test_guest_programs.py compares the same ones"
    ),
    ("README.md", "smplab diff tests/guest/wait tests/guest/ptrace --cpus 1,2,8 --seeds 3"): (
        "runs 100 programs; tests/cluster/test_guest_programs.py compares the same ones"
    ),
    ("docs/calibration.md", "costs: ./costs.yaml"): "a line of a configuration",
    ("README.md", "smplab outcomes races/parallel/fork_order --engine ray"): (
        "100 runs on Ray; tests/cluster/test_outcomes.py makes a few"
    ),
    ("docs/testing.md", ".venv/bin/python -m tests.cluster.same_digest"): (
        "starts Ray eight times; tests/cluster/test_same_bytes.py compares the same runs"
    ),
    ("docs/experiments/accuracy.md", "smplab accuracy fork_exec_storm --cpus 4,16,64"): (
        "63 runs, with times of the host; tests/cluster/test_accuracy.py compares smaller ones"
    ),
    ("docs/clusters.md", "smplab run fork_exec_storm --engine ray --address"): (
        "needs a cluster; tests/cluster/test_ray_files.py parses the commands of the page"
    ),
    ("docs/python.md", ">>> "): "a Python session; tests/docs/test_python_page.py runs it",
    ("docs/clusters.md", "pip wheel --no-deps"): "builds the project, for hosts that are not there",
    ("docs/clusters.md", "ray "): "needs a cluster; parsed as well",
    ("docs/clusters.md", "kubectl "): "needs Kubernetes",
    ("docs/races.md", "smplab: replay diverged: step 41: expected"): (
        "an example of a message; tests/cluster/race/test_command.py makes one"
    ),
    ("docs/lessons/02-states.md", "fork                           exit"): "a drawing",
    ("docs/architecture.md", "configs/*.yaml ─▶ cluster/config ─▶ cluster/build ─▶ MachineSpec"): (
        "a drawing"
    ),
}

# applied to every line, shown and printed, after runs of blanks have become one
MASKS: Final = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"runs/\d{8}-\d{6}-[\w.+-]+", "runs/RUN"),
        # replay strings have a hash of all source files
        (r"\bsmp1\.[a-z2-7]+", "smp1.STRING"),
        # the column of host times and rates of the table Run
        (r"^(ended: .+) [\d.,]+ [mun]?s$", r"\1 WALL"),
        (r"^((?:lifecycles|forks, vforks|exits) .+) [\d,]+/s$", r"\1 WALL"),
        # strace: a longer path of the folder takes longer to look up
        (r"^(\d+) 0\.\d{9} ", r"\1 TIME "),
        (r"^(\D*\d+ .*: (?:exited with \d+|killed by \w+)) after .*$", r"\1 after TIME"),
        # the table Host time
        (r"^(\D+) [\d.,]+ [mun]?s \d+ %$", r"\1 WALL"),
    )
)
# lines of no account: the progress of a run, or of a sweep
DROPPED: Final = re.compile(r"\d+ s: (.* virtual, .* lifecycles|\d+ of \d+ points)")

_RUN_NAME: Final = re.compile(r"runs/\d{8}-\d{6}-[\w.+-]+")
_COMMENT: Final = re.compile(r"<!-- *(file|script|run|exit|soak|figure)(?:: *(.*?))? *-->$")
_COMMAND: Final = f"""#!{sys.executable}
import sys
sys.path[0] = {str(ROOT)!r}
from cluster.entry import main
if __name__ == "__main__":  # processes of a sweep import this
    main()
"""
_SLOW: Final = (
    *("smplab run", "smplab diff", "smplab race", "smplab scheduler", "smplab sweep"),
    "smplab compare --host",
)
_TIMEOUT_S: Final = 600


@dataclass
class Command:
    """A command of a console block, with the lines that are shown as its output."""

    text: str
    first: int  # of its output, among the block's lines
    shown: list[str] = field(default_factory=list)


@dataclass
class Block:
    """A fenced block: where it is, what it holds, and what the comments above it say."""

    page: str
    line: int  # of its first line of text, from 1
    lines: list[str]
    notes: dict[str, str]

    @property
    def name(self) -> str:
        """Return the block's name for people: it does not change with the text above."""
        return f"{self.page}:{self.notes.get('file') or self.head[:50]}"

    @property
    def head(self) -> str:
        """Return the first line of text."""
        return next((line.strip() for line in self.lines if line.strip()), "")

    @property
    def kind(self) -> str:
        """Return ``file``, ``script``, ``console``, or an empty string: nothing that can be run."""
        for kind in ("file", "script"):
            if kind in self.notes:
                return kind
        return "console" if any(line.startswith("$ ") for line in self.lines) else ""

    @property
    def slow(self) -> bool:
        """Say whether a machine runs for it, or the host's kernel is asked."""
        texts = [command.text for command in self.commands()]
        program = self.notes.get("file", "").endswith(".py")
        return program or "run" in self.notes or any(text.startswith(_SLOW) for text in texts)

    def commands(self) -> list[Command]:
        """Return the commands of a console block."""
        found: list[Command] = []
        goes_on = False
        for number, line in enumerate(self.lines):
            if goes_on or line.startswith("$ "):
                text = line.strip() if goes_on else line[2:].strip()
                if goes_on:
                    found[-1].text += f" {text}"
                else:
                    found.append(Command(text, 0))
                goes_on = found[-1].text.endswith("\\")
                found[-1].text = found[-1].text.removesuffix("\\").rstrip()
                found[-1].first = number + 1
            elif found:
                found[-1].shown.append(line)
        return found

    def not_run(self, text: str | None = None) -> str:
        """Return why the block, or a command of it, is not run; empty if it is."""
        begins = self.head if text is None else text
        for (page, start), reason in NOT_RUN.items():
            if page == self.page and begins.startswith(start):
                return reason
        return ""


def pages() -> list[Path]:
    """Return README.md and all pages of docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_of(page: str, text: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    found: list[Block] = []
    notes: dict[str, str] = {}
    inside: Block | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if inside is None:
                inside = Block(page, number + 1, [], notes)
            else:
                found.append(inside)
                inside = None
            notes = {}
        elif inside is not None:
            inside.lines.append(line)
        elif match := _COMMENT.match(line):
            notes[match[1]] = match[2] or ""
        else:
            notes = {}
    if inside is not None:
        raise ValueError(f"{page}:{inside.line}: a block without end")
    return found


def all_blocks() -> list[Block]:
    """Return the blocks of all pages."""
    return [
        block
        for path in pages()
        for block in blocks_of(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
    ]


class Sandbox:
    """A folder in which the blocks of one page run: its files, the examples, and the project's."""

    def __init__(self, folder: Path, blocks: Sequence[Block]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        for name in ("configs", "tests"):
            (folder / name).symlink_to(ROOT / name)
        for path in EXAMPLES.iterdir():
            if path.is_file():
                shutil.copy(path, folder)
        # the command of this tree, whatever is installed
        self.commands = folder / ".commands"
        self.commands.mkdir(exist_ok=True)
        command = self.commands / "smplab"
        command.write_text(_COMMAND, "utf-8")
        command.chmod(0o755)
        for block in blocks:
            if "file" in block.notes:
                text = "\n".join(block.lines) + "\n"
                (folder / block.notes["file"]).write_text(text, "utf-8")

    def execute(self, command: str) -> tuple[int, list[str]]:
        """Run a command as a shell would; return its exit code and what it prints, by lines."""
        if NEWEST in command:
            command = command.replace(NEWEST, str(self.newest().relative_to(self.folder)))
        places = (self.commands, Path(sys.executable).parent, os.environ["PATH"])
        mine = {name: value for name, value in os.environ.items() if name[:6] != "PYTHON"}
        environment = {
            **mine,
            "PATH": os.pathsep.join(map(str, places)),
            "COLUMNS": "80",
        }
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
        )
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        return done.returncode, [line for line in lines if not DROPPED.match(line)]

    def newest(self) -> Path:
        """Return the newest run directory."""
        runs = sorted((self.folder / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        return runs[-1]


class Failed(Exception):
    """A block does not show what happens; the message says the difference."""


def check(block: Block, sandbox: Sandbox) -> None:
    """Run a block and compare.

    Raises:
        Failed: it shows something else, or what must succeed does not.
    """
    _prepare(block, sandbox)
    if block.kind == "file":
        _check_file(block.notes["file"], sandbox)
    elif block.kind == "script":
        _check_script(block, sandbox)
    else:
        for command in block.commands():
            if not block.not_run(command.text):
                problem = compare(command.shown, _printed(command, block, sandbox))
                if problem:
                    raise Failed(f"{command.text}\n{problem}")
        if "figure" in block.notes:
            _check_figure(block, sandbox)


def figure_of(block: Block) -> Path:
    """Return the file that stands beside the page."""
    return ROOT / Path(block.page).parent / block.notes["figure"]


def _check_figure(block: Block, sandbox: Sandbox) -> None:
    made, there = sandbox.folder / block.notes["figure"], figure_of(block)
    if not made.is_file():
        raise Failed(f"no command of the block makes {made.name}")
    if not there.is_file() or there.read_bytes() != made.read_bytes():
        raise Failed(f"{there.relative_to(ROOT)} is not what the block makes")


def _prepare(block: Block, sandbox: Sandbox) -> None:
    if "run" in block.notes:
        code, lines = sandbox.execute(block.notes["run"])
        if code:
            raise Failed("\n".join((f"exit code {code}: {block.notes['run']}", *lines)))


def _printed(command: Command, block: Block, sandbox: Sandbox) -> list[str]:
    code, lines = sandbox.execute(command.text)
    if code != int(block.notes.get("exit", 0)):
        raise Failed("\n".join((f"exit code {code}: {command.text}", *lines)))
    return lines


def _check_file(name: str, sandbox: Sandbox) -> None:
    if name.startswith("test_"):
        code, lines = sandbox.execute(f"python3 -m pytest -q -p no:cacheprovider {name}")
        allowed: tuple[int, ...] = (OK,)
    elif name.endswith(".py"):
        code, lines = sandbox.execute(f"smplab diff {name}")
        allowed = (OK, INCONCLUSIVE)
    elif name.endswith(".litmus"):
        code, lines = sandbox.execute(f"smplab litmus {name}")
        allowed = (OK,)
    elif name.endswith(".json"):  # configurations on pages are YAML: this is what one imports
        code, lines = sandbox.execute(f"smplab import {name}")
        allowed = (OK,)
    else:
        code, lines = sandbox.execute(f"smplab validate {name}")
        allowed = (OK,)
    if code not in allowed:
        raise Failed("\n".join((f"exit code {code}", *lines)))


def _check_script(block: Block, sandbox: Sandbox) -> None:
    text = _RUN_NAME.sub(
        lambda _: str(sandbox.newest().relative_to(sandbox.folder)), "\n".join(block.lines)
    )
    (sandbox.folder / "script_of_the_page.py").write_text(text + "\n", "utf-8")
    code, lines = sandbox.execute("python3 script_of_the_page.py")
    if code or not lines:
        raise Failed("\n".join((f"exit code {code}", *lines)))


def plain(line: str) -> str:
    """Return a line without what differs from run to run, and with single blanks."""
    line = " ".join(line.split())
    for pattern, instead in MASKS:
        line = pattern.sub(instead, line)
    return line


def _segments(shown: Sequence[str]) -> list[list[str]]:
    """Return what stands between the elisions, an empty part before or after one included."""
    parts: list[list[str]] = [[]]
    for line in shown:
        if line.strip() == ELISION:
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def compare(shown: Sequence[str], printed: Sequence[str]) -> str:
    """Return how ``printed`` differs from what is ``shown``; empty if it does not.

    Nothing shown: nothing is compared.
    """
    if not shown:
        return ""
    left = [plain(line) for line in printed]
    parts = [[plain(line) for line in part] for part in _segments(shown)]
    if _fits(parts, left):
        return ""
    whole = [plain(line) for line in shown]
    return "\n".join(difflib.unified_diff(whole, left, "shown", "printed", lineterm="", n=1))


def _fits(parts: list[list[str]], printed: list[str]) -> bool:
    if len(parts) == 1:
        return parts[0] == printed
    first, *middle, last = parts
    place, end = len(first), len(printed) - len(last)
    if printed[:place] != first or printed[end:] != last:
        return False
    for part in middle:
        starts = range(place, end - len(part) + 1)
        found = next((at for at in starts if printed[at : at + len(part)] == part), None)
        if found is None:
            return False
        place = found + len(part)
    return place <= end


def refreshed(shown: Sequence[str], printed: Sequence[str]) -> list[str]:
    """Return what to show instead of ``shown``: as long, with elisions at the same words.

    Raises:
        Failed: the words at which a part began are printed no more.
    """
    if not compare(shown, printed):
        return list(shown)
    parts = _segments(shown)
    if len(parts) == 1:
        return [line.rstrip() for line in printed]
    place = 0
    taken: list[list[str]] = []
    for number, part in enumerate(parts):
        if number == len(parts) - 1:
            place = max(place, len(printed) - len(part))
        elif number and part:
            starts = range(place, len(printed))
            found = next((at for at in starts if _key(printed[at]) == _key(part[0])), None)
            if found is None:
                raise Failed(f"nothing printed begins like {part[0]!r}: write it by hand")
            place = found
        taken.append([line.rstrip() for line in printed[place : place + len(part)]])
        place += len(part)
    lines = taken[0]
    for part in taken[1:]:
        lines += [ELISION, *part]
    return lines


def _key(line: str) -> str:
    return re.split(r"\s{2,}|\d", line.strip())[0].strip()


# -- refresh ---------------------------------------------------------------------------------------


def refresh_page(path: Path, folder: Path) -> Iterator[str]:
    """Run the blocks of a page and write what they print into it; say what changed or failed."""
    page = path.relative_to(ROOT).as_posix()
    text = path.read_text("utf-8")
    blocks = blocks_of(page, text)
    lines = text.splitlines()
    for number, block in reversed(list(enumerate(blocks))):  # so that places above stay right
        if block.kind != "console":
            continue
        sandbox = Sandbox(folder / f"{path.stem}-{number}", blocks)
        try:
            new = _refreshed_block(block, sandbox)
        except Failed as failed:
            yield f"{page}:{block.line}: not refreshed: {failed}"
            continue
        if new != block.lines:
            start = block.line - 1
            lines[start : start + len(block.lines)] = new
            yield f"{page}:{block.line}: refreshed"
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _refreshed_block(block: Block, sandbox: Sandbox) -> list[str]:
    _prepare(block, sandbox)
    lines = list(block.lines)
    results = [
        (command, refreshed(command.shown, _printed(command, block, sandbox)))
        for command in block.commands()
        if not block.not_run(command.text)
    ]
    if "figure" in block.notes:
        shutil.copyfile(sandbox.folder / block.notes["figure"], figure_of(block))
    for command, shown in reversed(results):
        lines[command.first : command.first + len(command.shown)] = shown
    return lines


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Refresh the outputs that the pages show.")
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE")
    parser.add_argument("--list", action="store_true", help="only say what is done with each")
    options = parser.parse_args()
    if options.list:
        for block in all_blocks():
            print(f"{block.page}:{block.line}: {block.kind or f'not run: {block.not_run()}'}")
        return
    with tempfile.TemporaryDirectory(prefix="smplab-docs-") as folder:
        for path in [page.resolve() for page in options.pages] or pages():
            for line in refresh_page(path, Path(folder)):
                print(line)


if __name__ == "__main__":
    main()
