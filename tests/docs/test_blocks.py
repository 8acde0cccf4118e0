"""Every command and every output that README.md and docs show is run and compared: docs/blocks.py.

After a change of what is printed, ``python docs/blocks.py`` writes the new outputs.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.scripts import script

ROOT = Path(__file__).resolve().parents[2]


blocks = script(ROOT / "docs" / "blocks.py")
BLOCKS = blocks.all_blocks()
RUN = [
    pytest.param(
        block,
        id=block.name,
        marks=[
            *([pytest.mark.slow] if block.slow else []),
            *([pytest.mark.soak] if "soak" in block.notes else []),
        ],
    )
    for block in BLOCKS
    if block.kind
]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("block", RUN)
def test_block_shows_what_happens(block: Any, tmp_path: Path) -> None:
    page = [other for other in BLOCKS if other.page == block.page]
    blocks.check(block, blocks.Sandbox(tmp_path / "sandbox", page))


def test_every_block_is_run_or_has_a_reason_not_to_be() -> None:
    left = [f"{block.page}:{block.line}" for block in BLOCKS if not block.kind]
    explained = [f"{one.page}:{one.line}" for one in BLOCKS if not one.kind and one.not_run()]
    assert left == explained, "say what they are: see docs/blocks.py"


def test_every_reason_is_of_a_block_that_is_there() -> None:
    texts = [
        (block.page, text)
        for block in BLOCKS
        for text in (block.head, *(command.text for command in block.commands()))
    ]
    for page, start in blocks.NOT_RUN:
        assert any(text.startswith(start) for where, text in texts if where == page), start


@pytest.mark.slow
def test_the_table_of_forks_has_the_numbers_of_runs(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    table = re.search(r"^\| change \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table is not None
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table[1].splitlines()]
    for change, *shown in rows:
        sandbox = blocks.Sandbox(tmp_path / str(len(change)), [])
        option = match[1] if (match := re.search(r"`(--set [^`]*)`", change)) else ""
        code, lines = sandbox.execute(
            "smplab run configs/fork_exec_storm.yaml --engine local --quiet"
            f" --set workloads.0.params.pages=256 {option}"
        )
        assert code == 0, lines
        summary = json.loads((sandbox.newest() / "summary.json").read_text())
        numbers = (
            summary["rates"]["forks_per_virtual_s"],
            summary["memory"]["pages_copied_by_fork"],
            summary["memory"]["cow_copied"],
        )
        assert shown == [f"{number:,}" for number in numbers], change


# -- the machinery itself --------------------------------------------------------------------------

PAGE = """\
Text.

<!-- file: a.py -->
```python
print("one")
```

<!-- run: smplab run x.yaml -->
<!-- exit: 2 -->
```
$ echo one \\
      two    # a comment
one two
$ true
```
"""


def test_a_page_falls_into_blocks_commands_and_notes() -> None:
    file, console = blocks.blocks_of("p.md", PAGE)
    assert (file.kind, file.notes, file.slow) == ("file", {"file": "a.py"}, True)
    assert (console.kind, console.line, console.slow) == ("console", 11, True)
    assert console.notes == {"run": "smplab run x.yaml", "exit": "2"}
    one, two = console.commands()
    assert (one.text, one.shown, one.first) == ("echo one two    # a comment", ["one two"], 2)
    assert (two.text, two.shown) == ("true", [])


def test_a_block_that_nothing_explains_has_no_kind() -> None:
    [block] = blocks.blocks_of("p.md", "```text\nsomething\n```\n")
    assert (block.kind, block.not_run()) == ("", "")


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ([], ["anything"]),
        (["a", "b"], ["a", "b"]),
        (["a  1", "…", "c"], ["a 1", "b", "c"]),
        (["…", "c"], ["a", "b", "c"]),
        (["a", "…"], ["a"]),
        (["a", "…", "c", "…", "e"], ["a", "b", "c", "d", "e"]),
        (["runs/20261122-130553-x"], ["runs/20261128-090000-y"]),
        (["ended: done   83.84 ms  303.9 ms"], ["ended: done   83.84 ms   9.100 s"]),
        (["exits   580   6,917/s   1,907/s"], ["exits   580   6,917/s   3/s"]),
        (["kernel   14.70 s   63 %"], ["kernel  1 ns  2 %"]),
    ],
)
def test_what_is_shown_may_leave_out_and_host_times_do_not_count(
    shown: list[str], printed: list[str]
) -> None:
    assert blocks.compare(shown, printed) == ""


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["a"], []),
        (["a"], ["a", "b"]),
        (["a", "…", "c"], ["a", "b", "d"]),
        (["a", "…", "c", "…", "e"], ["a", "c", "d"]),
        (["a", "…", "a"], ["a"]),
        (["ended: done   83.84 ms  303.9 ms"], ["ended: done   83.85 ms  303.9 ms"]),
        (["exits   580   6,917/s   1,907/s"], ["exits   580   6,918/s   1,907/s"]),
        (["digest sha256:00"], ["digest sha256:01"]),
    ],
)
def test_another_output_is_a_difference(shown: list[str], printed: list[str]) -> None:
    assert "shown" in blocks.compare(shown, printed)


def test_refreshing_keeps_the_elisions_where_they_were() -> None:
    shown = ["one 1", "…", "rate   5", "late   6", "…", "digest 7"]
    printed = ["one 2", "two 3", "rate   8", "late   9", "more", "digest 0"]
    assert blocks.refreshed(shown, printed) == [
        *("one 2", "…", "rate   8", "late   9", "…", "digest 0")
    ]
    assert blocks.refreshed(["a", "b"], ["c"]) == ["c"]
    assert blocks.refreshed([], ["c"]) == []
    with pytest.raises(blocks.Failed, match="begins like"):
        blocks.refreshed(shown, ["one 2", "digest 0"])


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("printf same > f.svg", ""),
        ("printf other > f.svg", "f.svg is not what the block makes"),
        ("true", "no command of the block makes f.svg"),
    ],
)
def test_a_figure_beside_the_page_is_compared_byte_by_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, told: str
) -> None:
    (tmp_path / "f.svg").write_bytes(b"same")
    sandbox = blocks.Sandbox(tmp_path / "sandbox", [])
    monkeypatch.setattr(blocks, "ROOT", tmp_path)
    [block] = blocks.blocks_of("p.md", f"<!-- figure: f.svg -->\n```\n$ {command}\n```\n")
    if not told:
        blocks.check(block, sandbox)
        return
    with pytest.raises(blocks.Failed, match=told):
        blocks.check(block, sandbox)
