"""Which costs go by which number of which probe, and in which order.

A ``Step`` moves all its costs by one factor until the emulated probe takes what the host's took; so
where several costs make one number together their shares are those of the profile ``default``.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple


class Numbers(NamedTuple):
    """What one thing took, in ns; see the probe. ``busy``: of all processes together."""

    own: float
    inner: float
    busy: float
    wall: float

    def less(self, other: "Numbers") -> "Numbers":
        """Return the difference."""
        return Numbers(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def rest(self) -> float:
        """What was done outside of the one call."""
        return self.busy - self.inner

    @property
    def after(self) -> float:
        """What the process itself did outside of the one call."""
        return self.own - self.inner


@dataclass(frozen=True, slots=True)
class Probe:
    """A kind of the probe: times in a block on the host and emulated, and what it is about.

    What is done once for a block must be little beside the rest, or the times the same.
    """

    times: int
    emulated: int
    about: str
    timed: int = 0  # pairs of clock readings for each time, which are taken off
    cpus: int = 1
    at_once: bool = False  # on two CPUs, so that time that goes by is not what all used


@dataclass(frozen=True, slots=True)
class Step:
    """Costs that go by ``field`` of ``probe``, less the same of ``less``.

    ``about`` is for the reader of the profile.
    """

    costs: tuple[str, ...]
    probe: str
    field: str
    less: str = ""

    @property
    def source(self) -> str:
        """Say in short what was measured."""
        words = {
            "own": "CPU time",
            "inner": "CPU time of the call",
            "busy": "CPU time of all processes",
            "rest": "CPU time outside of the call",
            "after": "parent's CPU time after the call",
            "wall": "time",
            "trip": "time of a round",
        }
        text = f"{words[self.field]}, {PROBES[self.probe].about}"
        if self.less:
            text += f", less that of {PROBES[self.less].about}"
        return text


PROBES: Final[dict[str, Probe]] = {
    "clock": Probe(20_000, 20, "two readings of the clock"),
    "block": Probe(200_000, 200, "a turn of an empty loop"),
    "statement": Probe(10_000, 50, "a dozen ordinary statements"),
    "compute": Probe(1_000, 20, "guest.compute() of 10 us"),
    "call": Probe(100_000, 50, "getppid()"),
    "stat": Probe(10_000, 50, "stat() of /tmp"),
    "read": Probe(50_000, 50, "read() of /dev/null"),
    "pipe": Probe(20_000, 50, "a byte into a pipe and out of it"),
    "bulk": Probe(3_000, 20, "32 KiB into a pipe and out of it"),
    "map": Probe(5_000, 20, "mmap() and munmap() of a page"),
    "touch": Probe(200, 4, "512 pages written that are there", 1),
    "zero": Probe(40, 4, "512 new pages read", 1),
    "anon": Probe(12, 4, "512 new pages written", 1),
    "unmap": Probe(12, 4, "munmap() of 512 pages", 1),
    "copy": Probe(8, 8, "512 pages written that a child shares", 1),
    "signal": Probe(8_000, 20, "a signal to oneself, with a handler"),
    "lock": Probe(100_000, 20, "a lock taken and given back"),
    "futex": Probe(10_000, 20, "futex_wake() of nobody"),
    "thread": Probe(300, 10, "a thread started and joined"),
    "wake": Probe(200, 20, "four processes woken on this CPU", 1),
    "ring": Probe(400, 20, "a byte passed on by four processes, which do something, on one CPU"),
    "apart": Probe(300, 100, "a byte to a process on another CPU and back", cpus=2),
    "apart_busy": Probe(300, 40, "the same, and none of the two CPUs ever idles", cpus=2),
    "spawn": Probe(30, 10, "posix_spawn() of /bin/true", 1),
    "fork": Probe(30, 10, "fork(), the child leaves", 1),
    "fork_pages": Probe(30, 30, "fork() with 4,096 pages more", 1),
    "fork_areas": Probe(30, 30, "fork() with 256 areas more", 1),
    "fork_turns": Probe(6, 6, "17 processes that fork in turn, each once"),
    "fork_away": Probe(30, 10, "fork(), the child leaves on another CPU", cpus=2, at_once=True),
    "fork_beside": Probe(30, 10, "fork(), another CPU does the same", 1, cpus=2),
    "stay": Probe(30, 10, "fork(), the child does a little of everything"),
    "stay_thread": Probe(20, 10, "the same with a thread"),
    "stay_threads": Probe(12, 10, "the same with eight threads"),
    "threads_away": Probe(12, 10, "the same with eight threads on two CPUs", cpus=2, at_once=True),
    "exec": Probe(20, 10, "fork(), the child executes /bin/true", 1),
    "handover": Probe(1_000, 500, "two threads that wake each other by locks"),
}

STEPS: Final = (
    Step(("guest_block",), "statement", "own"),
    Step(("compute_call",), "compute", "own"),
    Step(("syscall_entry",), "call", "own"),
    Step(("path_component",), "stat", "own"),
    Step(("file_op",), "read", "own"),
    Step(("pipe_op",), "pipe", "own"),
    Step(("copy_byte_x1000",), "bulk", "own", "pipe"),
    Step(("mmap_op",), "map", "own"),
    Step(("memory_access",), "touch", "inner"),
    Step(("page_fault",), "zero", "inner"),
    Step(("zero_page",), "anon", "inner"),
    Step(("signal_send", "signal_deliver"), "signal", "own"),
    Step(("lock_op",), "lock", "own"),
    Step(("futex_op",), "futex", "own"),
    Step(("try_to_wake_up",), "wake", "inner"),
    Step(("context_switch",), "ring", "trip"),
    Step(("lock_handover",), "handover", "busy"),
    Step(
        ("dup_task_struct", "alloc_pid", "link_task", "wake_up_new_task", "thread_create"),
        "thread",
        "busy",
    ),
    Step(("ipi",), "apart_busy", "trip"),
    Step(("idle_exit",), "apart", "trip"),
    Step(("copy_pte",), "fork_pages", "inner", "fork"),
    Step(("free_pte",), "fork_pages", "rest", "fork"),
    Step(("copy_vma",), "fork_areas", "inner", "fork"),
    Step(("exit_per_vma",), "fork_areas", "rest", "fork"),
    Step(("free_page",), "unmap", "inner"),
    Step(("copy_page",), "copy", "inner"),
    Step(("copy_mm",), "exec", "inner"),
    Step(("reap",), "exec", "after"),
    Step(("cow_child",), "fork", "busy"),
    Step(("fork_cold",), "fork_turns", "busy"),
    Step(("cow_away",), "fork_away", "busy"),
    Step(("fork_beside",), "fork_beside", "busy", "fork"),
    Step(("cow_stay",), "stay", "busy", "fork"),
    Step(("thread_first",), "stay_thread", "busy", "stay"),
    Step(("thread_stack",), "stay_threads", "busy", "stay_thread"),
    Step(("thread_away",), "threads_away", "busy", "stay_threads"),
    Step(("vfork",), "spawn", "inner"),
    Step(("exec_base",), "exec", "busy"),
)

#: What no step goes by: how well the profile does where it was not fitted.
CHECKS: Final = (
    Step((), "fork", "inner"),
    Step((), "spawn", "busy"),
    Step((), "block", "own"),
    Step((), "fork_pages", "busy"),
    Step((), "copy", "busy"),
)


def value_of(step: Step, numbers: dict[str, Numbers]) -> float:
    """Return the number that ``step`` goes by."""
    found = _field(numbers[step.probe], step.field)
    if step.less:
        found -= _field(numbers[step.less], step.field)
    return found


def _field(numbers: Numbers, name: str) -> float:
    # the probes that pass a byte keep the time of the rounds alone in ``inner``
    found: float = getattr(numbers, "inner" if name == "trip" else name)
    return found
