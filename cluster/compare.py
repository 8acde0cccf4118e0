"""What two runs of one program must agree in, and how a difference is told.

Standard output must agree byte for byte, and the exit status, and the shape of the process tree
with every process's end. Standard error must agree but for what a traceback says of places in
files: the interpreter's own lines are there on the host and not on the emulator.

Where the notes of a native run miss the fork of a process (``NativeRun.strays``), its place in the
tree is not known: then it is enough that all processes ended alike.
"""

import difflib
import re
from typing import Final

from cluster.emulated import EmulatedRun
from cluster.native import NativeRun
from cluster.process_tree import describe_difference, outcome, same_tree

_CONTEXT_LINES: Final = 2
_STDERR_LINES: Final = 12
_LIBRARY_FILE: Final = re.compile(rb"(^Exception ignored in: <module '\w+' from ')[^']*/(\w+\.py)")
_TRACEBACK: Final = b"Traceback (most recent call last):"


def plain_stderr(data: bytes) -> bytes:
    """Return standard error without the places in tracebacks: the lines that are indented there.

    Nor does it say where the library's files are.
    """
    lines = []
    inside = False
    for line in data.splitlines(keepends=True):
        inside = line.startswith(_TRACEBACK) or (inside and line.startswith(b"  "))
        if not inside or line.startswith(_TRACEBACK):
            lines.append(_LIBRARY_FILE.sub(rb"\1\2", line))
    return b"".join(lines)


def trees_agree(native: NativeRun, emulated: EmulatedRun) -> bool:
    """Say whether the process trees agree, as far as the native one is known."""
    if same_tree(native.tree, emulated.tree):
        return True
    if not native.strays:
        return False
    ends = sorted([*(node.outcome for node in native.tree), *native.strays])
    return ends == sorted(node.outcome for node in emulated.tree)


def agree(native: NativeRun, emulated: EmulatedRun) -> bool:
    """Say whether an emulated run did what a native one did."""
    return (
        not emulated.problem
        and native.status == emulated.status
        and native.stdout == emulated.stdout
        and plain_stderr(native.stderr) == plain_stderr(emulated.stderr)
        and trees_agree(native, emulated)
    )


def compare(native: NativeRun, emulated: EmulatedRun) -> list[str]:
    """Return lines that say where two runs of one program differ; none if they agree."""
    lines = []
    if emulated.problem:
        lines.append("the emulated run did not come to its end:")
        lines += [f"  {line}" for line in emulated.problem.splitlines()]
    if native.stdout != emulated.stdout:
        lines.append("standard output (- host, + emulated):")
        lines += _text_difference(native.stdout, emulated.stdout)
    left, right = plain_stderr(native.stderr), plain_stderr(emulated.stderr)
    if left != right:
        lines.append("standard error (- host, + emulated):")
        lines += _text_difference(left, right)
    if native.status != emulated.status:
        ended = "never ended" if emulated.status is None else outcome(emulated.status)
        lines.append(f"exit status: host {native.outcome}, emulated {ended}")
    if not trees_agree(native, emulated):
        lines.append("process tree (host | emulated):")
        lines += [f"  {line}" for line in describe_difference(native.tree, emulated.tree)]
    if lines:
        for name, data in (("host", native.stderr), ("emulated", emulated.stderr)):
            tail = data.decode("utf-8", "replace").splitlines()[-_STDERR_LINES:]
            lines += [f"standard error, {name}:", *(f"  {line}" for line in tail)] if tail else []
    return lines


def closest(natives: list[NativeRun], emulated: EmulatedRun) -> NativeRun:
    """Return the native run that agrees with the emulated one in most parts."""

    def parts(native: NativeRun) -> int:
        return (
            4 * (native.stdout == emulated.stdout)
            + 2 * (native.status == emulated.status)
            + trees_agree(native, emulated)
        )

    return max(natives, key=parts)


def _text_difference(left: bytes, right: bytes) -> list[str]:
    """Return a unified difference without its head; lines that print alike show their bytes."""
    old, new = (data.decode("utf-8", "backslashreplace").splitlines() for data in (left, right))
    if old == new:
        return [f"  - {left[-80:]!r}", f"  + {right[-80:]!r}"]
    lines = difflib.unified_diff(old, new, lineterm="", n=_CONTEXT_LINES)
    return [f"  {line}" for line in list(lines)[2:]]
