"""Linux's tracepoints as bytes: what perf.data and trace.dat have in common.

A file of either kind says itself how the records in it are laid out: it has the text of each
event's ``format`` file, as tracefs shows it. The layouts here are Linux 6.1's; readers go by the
text, so other versions of them do not matter.

A record is ``common_type``, ``common_flags``, ``common_preempt_count``, ``common_pid``, then the
fields, aligned as C does it.

Source: include/trace/events/{sched,task,signal,oom}.h, arch/x86/include/asm/trace/exceptions.h;
kernel/trace/trace_events.c:f_show().
Deviation: ip of page_fault_user is 0. System calls are left out: their arguments are text here.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cluster.export.stream import reported_state
from cluster.export.tasks import Tasks
from kernel import events as ev

COMM_BYTES: Final = 16
_FIRST_ID: Final = 300
COMMON: Final = struct.Struct("<HBBi")
_COMMON_FIELDS: Final = (
    ("unsigned short common_type", 0, 2, 0),
    ("unsigned char common_flags", 2, 1, 0),
    ("unsigned char common_preempt_count", 3, 1, 0),
    ("int common_pid", 4, 4, 1),
)
# C type -> (code of struct, bytes, alignment, signed)
_TYPES: Final = {
    "char": ("16s", COMM_BYTES, 1, 0),  # an array
    "pid_t": ("i", 4, 4, 1),
    "int": ("i", 4, 4, 1),
    "short": ("h", 2, 2, 1),
    "long": ("q", 8, 8, 1),
    "u64": ("Q", 8, 8, 0),
    "unsigned long": ("Q", 8, 8, 0),
    "__data_loc char[]": ("I", 4, 4, 1),
}
_STATES: Final = ", ".join(
    f'{{ {1 << bit:#x}, "{letter}" }}' for bit, letter in enumerate("SDTtXZPI")
)
Values = Callable[[Sequence[Any]], tuple[Any, ...]]


@dataclass(frozen=True)
class Tracepoint:
    """One event of Linux.

    Attributes:
        id: its number in files of ours.
        system: its group, ``sched``.
        name: of the event.
        fields: type and name of each, behind the common ones.
        print_format: how readers print it, a ``printf`` call's arguments.
        layout: of its fields, 8 bytes into the record; padded to whole words of 4 bytes.
    """

    id: int
    system: str
    name: str
    fields: tuple[tuple[str, str], ...]
    print_format: str
    codes: str = field(init=False)
    layout: struct.Struct = field(init=False)

    def __post_init__(self) -> None:
        codes, at = "", COMMON.size
        for kind, _ in self.fields:
            code, size, alignment, _ = _TYPES[kind]
            gap = -at % alignment
            codes += f"{gap}x{code}" if gap else code
            at += gap + size
        codes += f"{-at % 4}x"
        object.__setattr__(self, "codes", codes)
        object.__setattr__(self, "layout", struct.Struct(f"<{codes}"))

    def format_text(self) -> str:
        """Return what tracefs shows in the event's file ``format``."""
        lines = [f"name: {self.name}", f"ID: {self.id}", "format:"]
        lines += [_field_line(*one) for one in _COMMON_FIELDS]
        lines.append("")
        at = COMMON.size
        for kind, name in self.fields:
            _, size, alignment, signed = _TYPES[kind]
            at += -at % alignment
            array = f"[{COMM_BYTES}]" if kind == "char" else ""
            lines.append(_field_line(f"{kind} {name}{array}", at, size, signed))
            at += size
        return "\n".join((*lines, "", f"print fmt: {self.print_format}", ""))


def _field_line(declaration: str, offset: int, size: int, signed: int) -> str:
    return f"\tfield:{declaration};\toffset:{offset};\tsize:{size};\tsigned:{signed};"


def _printed(words: str, *fields: str) -> str:
    """Return a print format whose arguments are fields of the record."""
    return ", ".join((f'"{words}"', *(f"REC->{name}" for name in fields)))


_TASK: Final = (("char", "comm"), ("pid_t", "pid"), ("int", "prio"))
_TASK_PRINTED: Final = _printed("comm=%s pid=%d prio=%d", "comm", "pid", "prio")
_WOKEN: Final = (*_TASK, ("int", "target_cpu"))
_WOKEN_PRINTED: Final = _printed(
    "comm=%s pid=%d prio=%d target_cpu=%03d", "comm", "pid", "prio", "target_cpu"
)
_SWITCH_PRINTED: Final = (
    '"prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s%s ==> next_comm=%s next_pid=%d'
    ' next_prio=%d", REC->prev_comm, REC->prev_pid, REC->prev_prio, (REC->prev_state & 0xff) ?'
    f' __print_flags(REC->prev_state & 0xff, "|", {_STATES}) : "R",'
    ' REC->prev_state & 0x100 ? "+" : "", REC->next_comm, REC->next_pid, REC->next_prio'
)
STAT_RUNTIME: Final = -1  # not of our trace: it follows from the switches

# event -> system, name, fields, print format
_DESCRIBED: Final[dict[int, tuple[str, str, tuple[tuple[str, str], ...], str]]] = {
    ev.SCHED_SWITCH: (
        "sched",
        "sched_switch",
        (
            *(("char", "prev_comm"), ("pid_t", "prev_pid"), ("int", "prev_prio")),
            ("long", "prev_state"),
            *(("char", "next_comm"), ("pid_t", "next_pid"), ("int", "next_prio")),
        ),
        _SWITCH_PRINTED,
    ),
    ev.SCHED_WAKEUP: ("sched", "sched_wakeup", _WOKEN, _WOKEN_PRINTED),
    ev.SCHED_WAKEUP_NEW: ("sched", "sched_wakeup_new", _WOKEN, _WOKEN_PRINTED),
    ev.SCHED_WAKING: ("sched", "sched_waking", _WOKEN, _WOKEN_PRINTED),
    ev.SCHED_MIGRATE_TASK: (
        "sched",
        "sched_migrate_task",
        (*_TASK, ("int", "orig_cpu"), ("int", "dest_cpu")),
        _printed(
            "comm=%s pid=%d prio=%d orig_cpu=%d dest_cpu=%d",
            *("comm", "pid", "prio", "orig_cpu", "dest_cpu"),
        ),
    ),
    STAT_RUNTIME: (
        "sched",
        "sched_stat_runtime",
        (("char", "comm"), ("pid_t", "pid"), ("u64", "runtime"), ("u64", "vruntime")),
        _printed(
            "comm=%s pid=%d runtime=%Lu [ns] vruntime=%Lu [ns]",
            *("comm", "pid", "runtime", "vruntime"),
        ),
    ),
    ev.SCHED_PROCESS_FORK: (
        "sched",
        "sched_process_fork",
        (
            *(("char", "parent_comm"), ("pid_t", "parent_pid")),
            *(("char", "child_comm"), ("pid_t", "child_pid")),
        ),
        _printed(
            "comm=%s pid=%d child_comm=%s child_pid=%d",
            *("parent_comm", "parent_pid", "child_comm", "child_pid"),
        ),
    ),
    ev.SCHED_PROCESS_EXEC: (
        "sched",
        "sched_process_exec",
        (("__data_loc char[]", "filename"), ("pid_t", "pid"), ("pid_t", "old_pid")),
        '"filename=%s pid=%d old_pid=%d", __get_str(filename), REC->pid, REC->old_pid',
    ),
    ev.SCHED_PROCESS_EXIT: ("sched", "sched_process_exit", _TASK, _TASK_PRINTED),
    ev.SCHED_PROCESS_WAIT: ("sched", "sched_process_wait", _TASK, _TASK_PRINTED),
    ev.SCHED_PROCESS_FREE: ("sched", "sched_process_free", _TASK, _TASK_PRINTED),
    ev.TASK_NEWTASK: (
        "task",
        "task_newtask",
        (
            *(("pid_t", "pid"), ("char", "comm"), ("unsigned long", "clone_flags")),
            ("short", "oom_score_adj"),
        ),
        _printed(
            "pid=%d comm=%s clone_flags=%lx oom_score_adj=%hd",
            *("pid", "comm", "clone_flags", "oom_score_adj"),
        ),
    ),
    ev.TASK_RENAME: (
        "task",
        "task_rename",
        (("pid_t", "pid"), ("char", "oldcomm"), ("char", "newcomm"), ("short", "oom_score_adj")),
        _printed(
            "pid=%d oldcomm=%s newcomm=%s oom_score_adj=%hd",
            *("pid", "oldcomm", "newcomm", "oom_score_adj"),
        ),
    ),
    ev.SIGNAL_GENERATE: (
        "signal",
        "signal_generate",
        (
            *(("int", "sig"), ("int", "errno"), ("int", "code")),
            *(("char", "comm"), ("pid_t", "pid"), ("int", "group"), ("int", "result")),
        ),
        _printed(
            "sig=%d errno=%d code=%d comm=%s pid=%d grp=%d res=%d",
            *("sig", "errno", "code", "comm", "pid", "group", "result"),
        ),
    ),
    ev.SIGNAL_DELIVER: (
        "signal",
        "signal_deliver",
        (
            *(("int", "sig"), ("int", "errno"), ("int", "code")),
            *(("unsigned long", "sa_handler"), ("unsigned long", "sa_flags")),
        ),
        _printed(
            "sig=%d errno=%d code=%d sa_handler=%lx sa_flags=%lx",
            *("sig", "errno", "code", "sa_handler", "sa_flags"),
        ),
    ),
    ev.PAGE_FAULT_USER: (
        "exceptions",
        "page_fault_user",
        (("unsigned long", "address"), ("unsigned long", "ip"), ("unsigned long", "error_code")),
        _printed("address=0x%lx ip=0x%lx error_code=0x%lx", "address", "ip", "error_code"),
    ),
    ev.OOM_MARK_VICTIM: ("oom", "mark_victim", (("int", "pid"),), _printed("pid=%d", "pid")),
}
#: event -> its tracepoint
TRACEPOINTS: Final = {
    event: Tracepoint(number, *described)
    for number, (event, described) in enumerate(_DESCRIBED.items(), _FIRST_ID)
}
_U64: Final = (1 << 64) - 1
# event -> its fields from those of ours, where they are not the same, or the first of them
_VALUES: Final[dict[int, Values]] = {
    ev.SCHED_PROCESS_EXIT: lambda row: tuple(row[:3]),
    ev.SIGNAL_DELIVER: lambda row: (*row[:3], row[3] & _U64, row[4] & _U64),
    ev.PAGE_FAULT_USER: lambda row: (row[1] & _U64, 0, row[2] & _U64),
    ev.OOM_MARK_VICTIM: lambda row: tuple(row[:1]),
}


def systems() -> dict[str, list[Tracepoint]]:
    """Return the tracepoints by system."""
    found: dict[str, list[Tracepoint]] = {}
    for point in TRACEPOINTS.values():
        found.setdefault(point.system, []).append(point)
    return found


class Payloads:
    """Makes the fields of records: what follows the common ones."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._names: dict[str, bytes] = {}

    def name(self, comm: str) -> bytes:
        """Return a task's name as bytes, fit for its array."""
        found = self._names.get(comm)
        if found is None:
            if len(self._names) > 1 << 16:
                self._names.clear()
            found = comm.encode("utf-8", "replace")[: COMM_BYTES - 1]
            self._names[comm] = found
        return found

    def values(self, event: int, row: list[Any], at: int) -> tuple[Any, ...]:
        """Return what the layout of an event packs, of a record whose fields begin at ``at``."""
        name = self.name
        if event == ev.SCHED_SWITCH:
            comm, pid, prio, state, next_comm, next_pid, next_prio, _ = row[at:]
            if state not in (0, 1, 0x100):
                state = reported_state(state, thread=self._tasks.is_thread(pid))
            return name(comm), pid, prio, state, name(next_comm), next_pid, next_prio
        fields: Sequence[Any] = row[at:-1]
        if event in _VALUES:
            fields = _VALUES[event](fields)
        return tuple([name(one) if type(one) is str else one for one in fields])

    def payload(self, event: int, row: list[Any], at: int) -> bytes:
        """Return the fields of a record of any event as bytes."""
        if event == ev.SCHED_PROCESS_EXEC:
            filename, pid, old_pid = row[at:-1]
            text: bytes = filename.encode("utf-8", "replace") + b"\0"
            place = COMMON.size + 12 | len(text) << 16  # __data_loc: where it is, and its length
            return struct.pack("<Iii", place, pid, old_pid) + text + bytes(-len(text) % 4)
        layout = TRACEPOINTS[event].layout
        return layout.pack(*self.values(event, row, at))


def header_files() -> tuple[bytes, bytes]:
    """Return tracefs's ``header_page`` and ``header_event``: the layout of ring buffer pages."""
    page = (
        "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
        "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
        "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
        "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n"
    )
    event = (
        "# compressed entry header\n"
        "\ttype_len    :    5 bits\n"
        "\ttime_delta  :   27 bits\n"
        "\tarray       :   32 bits\n"
        "\n"
        "\tpadding     : type == 29\n"
        "\ttime_extend : type == 30\n"
        "\ttime_stamp : type == 31\n"
        "\tdata max type_len  == 28\n"
    )
    return page.encode(), event.encode()


def tracing_data(version: bytes) -> bytes:
    """Return the head that both kinds of files have: how pages and events are laid out.

    Args:
        version: of the head; trace.dat's are ``6`` and ``7``, perf's is ``0.6``.
    """
    page, event = header_files()
    parts = [b"\x17\x08\x44tracing", version, b"\0", bytes((0, 8)), struct.pack("<I", 4096)]
    parts += [b"header_page\0", struct.pack("<Q", len(page)), page]
    parts += [b"header_event\0", struct.pack("<Q", len(event)), event]
    parts.append(struct.pack("<I", 0))  # events of ftrace itself
    groups = systems()
    parts.append(struct.pack("<I", len(groups)))
    for system, points in groups.items():
        parts += [system.encode(), b"\0", struct.pack("<I", len(points))]
        for point in points:
            text = point.format_text().encode()
            parts += [struct.pack("<Q", len(text)), text]
    parts.append(struct.pack("<II", 0, 0))  # symbols of the kernel, formats of trace_printk()
    return b"".join(parts)
