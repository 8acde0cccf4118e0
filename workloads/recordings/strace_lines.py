"""One line of strace's output, taken apart.

::

    [pid  17] 1700000000.000100 read(3<pipe:[9]>, "x", 1) = 1 <0.000012>
    17 1700000000.000100 read(3,  <unfinished ...>
    17 1700000000.000120 <... read resumed>"x", 1) = 1 <0.000012>
    17 1700000000.000130 --- SIGCHLD {si_signo=SIGCHLD, …} ---
    17 1700000000.000140 +++ exited with 0 +++

Patterns are anchored and have one greedy part each, so that no line takes more than linear time.
"""

import re
from dataclasses import dataclass
from typing import Final

_PID: Final = r"(?:\[pid +(\d{1,10})\] +|(\d{1,10}) +)?"
_HEAD: Final = re.compile(_PID + r"(\d{1,12})\.(\d{1,9}) (.*)", re.S)
_CALL: Final = re.compile(r"([a-z_][a-z0-9_]{0,40}|\?\?\?)\((.*)", re.S)
_RESUMED: Final = re.compile(r"<\.\.\. ([a-z_?][a-z0-9_?]{0,40}) resumed> ?(.*)", re.S)
_RESULT: Final = re.compile(r"(-?\d+|0x[0-9a-f]+|\?)(.*)", re.S)
_RETURN: Final = re.compile(r"(.*)\) += (.*)", re.S)
_OUTER: Final = re.compile(r"/\* (\d{1,10}) in strace's PID NS \*/")
_TIME: Final = re.compile(r".* <(\d{1,9})\.(\d{1,9})>$", re.S)
_ATTACHED: Final = re.compile(r"(?:strace: )?\[? ?Process (\d{1,10}) attached\b")
_EXITED: Final = re.compile(r"\+\+\+ exited with (\d{1,3}) \+\+\+$")
_KILLED: Final = re.compile(r"\+\+\+ killed by (SIG[A-Z0-9_]{1,12})(?: \(core dumped\))? \+\+\+$")
_SIGNAL: Final = re.compile(r"--- (?:stopped by )?(SIG[A-Z0-9_+ ]{1,16}) ")
_UNFINISHED: Final = "<unfinished ...>"
_CLOCK: Final = re.compile(_PID + r"\d\d:\d\d:\d\d")
#: strace writes this into the middle of the line of the call that makes the task
ATTACHED_WITHIN: Final = re.compile(r"strace: Process \d{1,10} attached$")


@dataclass(slots=True)
class Line:
    """A line of strace.

    Attributes:
        kind: ``call`` whole, ``begin``, ``end``, ``signal``, ``stopped``, ``exited``, ``killed``,
            ``superseded``, ``attached`` (a task is there), ``remark`` (nothing that matters).
        pid: None where the line has none.
        name: of the call or the signal.
        args: of a call, as far as the line has them.
        result: of a call: an integer, or None for ``?``.
        took_ns: of a call, by -T; None without.
    """

    kind: str
    pid: int | None = None
    at_ns: int = 0
    name: str = ""
    args: str = ""
    result: int | None = None
    took_ns: int | None = None
    code: int = 0


def parse_line(text: str) -> Line | tuple[int, str]:
    """Return what ``text`` says, or what is wrong with it, and at which column."""
    if attached := _ATTACHED.match(text):
        return Line("attached", int(attached[1]))
    if text.startswith("strace: ") or not text:
        return Line("remark")
    head = _HEAD.match(text)
    if head is None:
        if _CLOCK.match(text):
            return 1, "the time is not that of -ttt: record with strace -f -ttt -T"
        return 1, "expected a line of strace -f -ttt: [PID] SECONDS.MICROSECONDS CALL(…) = RESULT"
    pid = head[1] or head[2]
    at_ns = int(head[3]) * 1_000_000_000 + int(head[4].ljust(9, "0"))
    line = Line("", int(pid) if pid else None, at_ns)
    wrong = _body(line, head[5].rstrip())
    return (head.start(5) + 1, wrong) if wrong else line


def _body(line: Line, text: str) -> str:
    """Fill in what comes after the time; return what is wrong with it."""
    if text.startswith("+++ "):
        return _ending(line, text)
    if text.startswith("--- "):
        signal = _SIGNAL.match(text)
        if signal is None:
            return "expected --- SIGNAL {…} ---"
        line.kind = "stopped" if text.startswith("--- stopped by") else "signal"
        line.name = signal[1].strip()
        return ""
    if resumed := _RESUMED.match(text):
        line.kind, line.name = "end", resumed[1]
        return _finish(line, resumed[2])
    call = _CALL.match(text)
    if call is None:
        return "expected a call, <... CALL resumed>, a signal or an end"
    line.name, rest = call[1], call[2]
    if rest.endswith(_UNFINISHED):
        line.kind, line.args = "begin", rest[: -len(_UNFINISHED)]
        return ""
    line.kind = "call"
    return _finish(line, rest)


def _ending(line: Line, text: str) -> str:
    if exited := _EXITED.match(text):
        line.kind, line.code = "exited", int(exited[1])
        return "" if line.code < 256 else "an exit code is from 0 to 255"
    if killed := _KILLED.match(text):
        line.kind, line.name = "killed", killed[1]
        return ""
    if text.startswith("+++ superseded by execve in pid "):
        line.kind = "superseded"
        return ""
    return "expected +++ exited with CODE +++ or +++ killed by SIGNAL +++"


def _finish(line: Line, text: str) -> str:
    """Fill in the arguments, the result and the time of a call that has ended."""
    parts = _RETURN.match(text)
    result = _RESULT.match(parts[2]) if parts else None
    if parts is None or result is None:
        return f"the call {line.name} has no result"
    line.args = parts[1]
    if result[1] != "?" and len(result[1]) < 24:
        line.result = int(result[1], 16 if result[1].startswith("0x") else 10)
    if named := _OUTER.search(result[2]):
        line.result = int(named[1])
    if took := _TIME.match(result[2]):
        line.took_ns = int(took[1]) * 1_000_000_000 + int(took[2].ljust(9, "0"))
    return ""
