"""The marks under a line of an uncaught exception's traceback.

CPython has two printers: the module ``traceback`` and, for what nobody catches, C code, which
finds operators and trailing blanks otherwise.

Up to 3.11.4 neither looked behind the brackets around an operand: the guest's Python is the one
that runs smplab, so the marks are as its own.

Source: CPython Python/traceback.c:tb_displayline(), extract_anchors_from_expr().
"""

import ast
import traceback
from typing import Final

_BLANKS: Final = b" \t\f"


def _skips_brackets() -> bool:
    """Tell whether this Python looks for an operator behind the brackets of its left operand."""
    anchors = getattr(traceback, "_extract_caret_anchors_from_line_segment", None)
    found = None if anchors is None else anchors("(a)/0")
    return found is None or found.left_end_offset == len("(a)")


_SKIPS_BRACKETS: Final = _skips_brackets()


class Displayed(traceback.StackSummary):
    """A stack whose frames look as the C code prints them."""

    def format_frame_summary(self, frame_summary: traceback.FrameSummary) -> str:
        """Return the lines of one frame."""
        plain = traceback.FrameSummary(
            frame_summary.filename, frame_summary.lineno, frame_summary.name, line=""
        )
        head = super().format_frame_summary(plain)
        line: str = (frame_summary._original_line or "").rstrip("\n")  # type: ignore[attr-defined]
        shown = line.lstrip(" \t\f")
        if not shown.strip():
            return head
        return f"{head}    {shown}\n{_marks(frame_summary, line, len(line) - len(shown))}"


def _marks(summary: traceback.FrameSummary, line: str, cut: int) -> str:
    if summary.colno is None or summary.end_colno is None:
        return ""
    data = line.encode()
    anchors = None
    start = len(data[: summary.colno].decode(errors="replace"))
    if summary.lineno == summary.end_lineno:
        end = len(data[: summary.end_colno].decode(errors="replace"))
        anchors = _anchors(line[start:end])
    else:
        end = len(line.rstrip(" \t\f"))
    if anchors is None:
        if end - start == len(line) - cut:
            return ""
        return f"    {' ' * (start - cut)}{'^' * (end - start)}\n"
    left, right = anchors
    marks = "~" * left + "^" * (right - left) + "~" * (end - start - right)
    return f"    {' ' * (start - cut)}{marks}\n"


def _anchors(segment: str) -> tuple[int, int] | None:
    """Return where the operator or the brackets of an expression begin and end, in characters."""
    try:
        tree = ast.parse(segment)
    except (SyntaxError, ValueError):
        return None
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        return None
    data = segment.encode()
    expression = tree.body[0].value
    if isinstance(expression, ast.BinOp):
        found = _operator(data, expression.left.end_col_offset or 0, expression.right.col_offset)
    elif isinstance(expression, ast.Subscript):
        found = _brackets(data, expression)
    else:
        return None
    left, right = found
    return len(data[:left].decode(errors="replace")), len(data[:right].decode(errors="replace"))


def _operator(data: bytes, start: int, end: int) -> tuple[int, int]:
    left = right = start
    for place in range(start, end):
        if data[place] in _BLANKS:
            continue
        left, right = place, place + 1
        if right < end and data[right] not in _BLANKS:
            right += 1
        if _SKIPS_BRACKETS and place + 1 < end and data[place] == ord(")"):
            continue
        break
    return left, right


def _brackets(data: bytes, expression: ast.Subscript) -> tuple[int, int]:
    left = expression.value.end_col_offset or 0
    right = (expression.slice.end_col_offset or 0) + 1
    if not _SKIPS_BRACKETS:
        return left, right
    while left < len(data) and data[left] != ord("["):
        left += 1
    while right < len(data) and data[right] != ord("]"):
        right += 1
    return left, right + (right < len(data))
