"""Where guest exceptions were raised, and the text CPython prints for an uncaught one.

An exception carries ``guest_entries``: ``(function name, source range)`` of each frame it left,
innermost first. Block code keeps the source ranges of the guest program, so the range of an
exception raised inside a block is read from the host's own position table.

Source: CPython Lib/traceback.py, Python/traceback.c, Lib/threading.py (excepthook).
Deviation: one write(2) per line; CPython makes several. The entries of threading.py itself, which
CPython prints for an exception in a thread, are left out, and so are those of signal.py and of
posixpath.py; of os.py the exec family's and os.environ's are there.
"""

import traceback
from types import TracebackType
from typing import TYPE_CHECKING, Any

from workloads.language.carets import Displayed

if TYPE_CHECKING:
    from workloads.language.frames import Code, Frame

Site = tuple[int, int, int, int]
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>")
_WHOLE_LINE = 1 << 20  # a column beyond any line's end
_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


def site_of(exception: BaseException, frame: "Frame") -> Site | None:
    """Return the source range in ``frame`` at which ``exception`` came out of its block."""
    entry = exception.__traceback__
    if entry is not None:
        entry = entry.tb_next  # the first entry is the driver's own
    if entry is None:
        return frame.code.sites[frame.pc]
    site = _position(entry)
    if site is None or frame.code.index < 0:
        return frame.code.sites[frame.pc]
    return site


def _position(entry: TracebackType) -> Site | None:
    """Return the source range of one entry of the host's own traceback."""
    positions = list(entry.tb_frame.f_code.co_positions())
    line, end_line, column, end_column = positions[entry.tb_lasti // 2]
    return None if line is None else (line, end_line or line, column or 0, end_column or 0)


def add_comprehensions(exception: BaseException) -> None:
    """Record the comprehensions inside a block that ``exception`` came out of.

    They are functions of their own to CPython 3.11; the block's entry is added afterwards.
    """
    entry = exception.__traceback__
    entry = None if entry is None else entry.tb_next
    if entry is None or exception.__dict__["guest_entries"]:
        return
    file = entry.tb_frame.f_code.co_filename
    inner: list[tuple[str, Site]] = []
    while (entry := entry.tb_next) is not None:
        code = entry.tb_frame.f_code
        site = _position(entry)
        if code.co_filename != file or code.co_name not in _COMPREHENSIONS or site is None:
            break
        inner.insert(0, (code.co_name, site))
    exception.guest_entries = inner  # type: ignore[attr-defined]


def start_of(frame: "Frame") -> Site | None:
    """Return the line at which ``frame`` is about to go on, as a source range."""
    positions = iter(frame.blocks[frame.pc].__code__.co_positions())
    next(positions)  # of the block's own beginning
    for line, *_ in positions:
        if line:
            return line, line, 0, _WHOLE_LINE
    return None


def add_entry(exception: BaseException, code: "Code", site: Site) -> None:
    """Record that ``exception`` passed through ``code`` at ``site``; library code leaves none."""
    if code.index < 0:
        return
    entries = exception.__dict__.get("guest_entries")
    if entries is None:
        entries = exception.guest_entries = []  # type: ignore[attr-defined]
    entries.append((code.name, site))


def add_frozen(exception: BaseException, module: str, *entries: tuple[str, int]) -> None:
    """Record frames of a module of CPython's that is frozen into it: (function, line), inner first.

    Their source is not shown. The name holds the file, too, so an entry stays a name and a site.
    """
    found = exception.__dict__.setdefault("guest_entries", [])
    found.extend([(f"<frozen {module}>\0{name}", (line, line, 0, 0)) for name, line in entries])


def note_context(exception: BaseException, frames: list["Frame"]) -> None:
    """Set ``__context__`` to the exception being handled where this one was raised."""
    if "guest_entries" in exception.__dict__:
        return
    exception.guest_entries = []  # type: ignore[attr-defined]
    exception.__context__ = None
    for frame in reversed(frames):
        slot = frame.code.slots[frame.pc]
        if slot >= 0:
            handled = frame.locals[slot]
            if isinstance(handled, BaseException) and handled is not exception:
                exception.__context__ = handled
                return


def format_exception(
    exception: BaseException,
    path: str,
    lines: list[str],
    *,
    in_thread: bool = False,
    uncaught: bool = True,
) -> list[str]:
    """Return the lines CPython prints on stderr, each with its newline.

    Args:
        uncaught: as CPython's C code prints it; else as its module ``traceback`` does.
        in_thread: it has left a Thread's function, so there are entries, if only threading.py's.
    """
    out: list[str] = []
    chain = [exception]
    joints: list[str] = []
    seen = {id(exception)}
    while True:
        last = chain[-1]
        if last.__cause__ is not None and id(last.__cause__) not in seen:
            chain.append(last.__cause__)
            joints.append(_CAUSE)
        elif (
            last.__context__ is not None
            and not last.__suppress_context__
            and id(last.__context__) not in seen
        ):
            chain.append(last.__context__)
            joints.append(_CONTEXT)
        else:
            break
        seen.add(id(chain[-1]))
    for position in range(len(chain) - 1, -1, -1):
        headed = in_thread and not position
        out.extend(_format_one(chain[position], path, lines, headed, uncaught))
        if position:
            out.append(joints[position - 1])
    return [line + "\n" for text in out for line in text.splitlines()]


def _format_one(
    exception: BaseException, path: str, lines: list[str], headed: bool, uncaught: bool
) -> list[str]:
    entries: list[tuple[str, Any]] = exception.__dict__.get("guest_entries", [])
    summaries = []
    for name, (line, end_line, column, end_column) in reversed(entries):
        # the column arithmetic of traceback expects the line with its newline
        file, _, frozen = name.rpartition("\0")
        if file:
            summaries.append(traceback.FrameSummary(file, line, frozen, lookup_line=False, line=""))
            continue
        text = lines[line - 1] + "\n" if 0 < line <= len(lines) else ""
        summaries.append(
            traceback.FrameSummary(
                path,
                line,
                name,
                lookup_line=False,
                line=text,
                end_lineno=end_line,
                colno=column,
                end_colno=end_column,
            )
        )
    head = ["Traceback (most recent call last):\n"] if summaries or headed else []
    stack = Displayed() if uncaught else traceback.StackSummary()
    stack.extend(summaries)
    return head + stack.format() + traceback.format_exception_only(exception)
