"""Who waits for whom: tells of a deadlock or a lost wake-up when it comes about, not at the end.

A task that sleeps is looked at where its path stands: what it waits for, whether that has come
already, and who could bring it about.

- A **lost wake-up**: what a task waits for is there and the task sleeps on, though nobody is in the
  kernel who could be about to wake it. Or nobody is left who could: a futex has no owner.
- A **deadlock**: tasks each of which waits for one of the others, and for nobody else. Others may
  run meanwhile. (Circles of waits for the kernel's locks are told by ``kernel.drive.lockdep``.)

Anybody may end such a wait with a signal. So a circle is told at once only if no program of the
scenario speaks of signals or timers and no timer runs; else when the run can go on no further.

Source: the wait-for graph of Knapp (ACM Computing Surveys 1987), model OR.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import GEN_CREATED, getgeneratorstate
from typing import Any, Final

from kernel.errors import InvariantError
from kernel.ipc.futex import UserLock
from kernel.ipc.pipe import Pipe
from kernel.messages import NEVER
from kernel.process.tasklist import for_each_thread
from kernel.process.wake_parent import eligible_pid
from kernel.state import KernelState
from kernel.task import EXIT_ZOMBIE, PF_KTHREAD, TASK_RUNNING, TaskStruct
from kernel.trace.printable import printable
from kernel.uapi.syscalls import NAMES

LOST: Final = "lost wake-up"
CIRCLE: Final = "deadlock"

# what a program says that may send a signal, or have one sent, to somebody who sleeps
_SIGNALS: Final = re.compile(
    r"kill|alarm|itimer|signal|terminate|ptrace|timeout|RLIMIT_CPU|F_SETOWN|F_NOTIFY"
)
# how a program starts one of the shipped commands, which are in ``sources`` without a path
_STARTS: Final = re.compile(r"exec|spawn|system|popen|subprocess")
_NOW_AND_THEN: Final = 32  # steps


class Waiting(InvariantError):
    """Somebody waits for what will not come; the message begins with LOST or CIRCLE."""


@dataclass(slots=True)
class Wait:
    """One task that sleeps.

    Attributes:
        what: what it waits for, in words; empty: not known.
        there: what it waits for has come already.
        wakers: who could bring it about; None: any program.
        owned: there is somebody who has to do it, or has what it waits for.
    """

    task: TaskStruct
    what: str = ""
    there: bool = False
    wakers: "list[TaskStruct] | None" = None
    owned: bool = False

    @property
    def call(self) -> str:
        """The system call it sleeps in."""
        call = NAMES.get(self.task.in_syscall, "the kernel")
        return "futex" if call.startswith("lock_") else call  # as strace shows it


class WaitChecks:
    """Looks whether anybody can wake who sleeps: whenever somebody goes to sleep, and now and then.

    Now and then, for somebody may close the last end of a pipe, too.
    """

    __slots__ = ("_quiet", "_steps")

    def __init__(self, sources: Mapping[str, str]) -> None:
        own = [text for name, text in sources.items() if name.startswith("/")]
        if any(_STARTS.search(text) for text in own):
            own = list(sources.values())
        self._steps = 0
        self._quiet = not any(_SIGNALS.search(text) for text in own)

    def __call__(self, kernel: KernelState) -> None:
        """Look after a step.

        Raises:
            Waiting: with who waits for whom.
        """
        self._steps += 1
        if kernel.current.on_rq and self._steps % _NOW_AND_THEN:
            return
        if kernel.timers.some_live_ns(kernel.services) < NEVER:
            return
        told = waits_told(kernel, circles=self._quiet)
        if told:
            raise Waiting(told)


def waits_told(kernel: KernelState, *, circles: bool = True) -> str:
    """Return who waits for what will not come; empty: nobody that is known of.

    Args:
        circles: tell of tasks that nobody can wake but with a signal, too.
    """
    waits = _waits(kernel)
    if not waits:
        return ""
    lost = [wait for wait in waits if wait.there] if _at_rest(kernel) else []
    if lost:
        wait = lost[0]
        first = f"{LOST}: {_who(wait.task)} sleeps in {wait.call}, and {wait.what} is there"
        return "\n".join([first, *_stories(waits, lost)])
    dead = _dead(kernel, waits) if circles else []
    if not dead:
        return ""
    roots = [wait for wait in dead if not wait.owned]
    if roots:
        first = f"{LOST}: {_who(roots[0].task)} sleeps in {roots[0].call}, and nobody can wake it"
        return "\n".join([first, *_stories(dead, roots)])
    if len(dead) == 1:
        (wait,) = dead
        first = f"{CIRCLE}: {_who(wait.task)} sleeps in {wait.call}, and nobody else can wake it"
        return "\n".join([first, *_stories(dead, [])])
    calls = ", ".join(sorted(wait.call for wait in dead))
    return "\n".join([f"{CIRCLE}: tasks that wait for each other ({calls})", *_stories(dead, [])])


def _who(task: TaskStruct) -> str:
    return f"{printable(task.comm)} ({task.pid})"


def _stories(waits: list[Wait], roots: list[Wait]) -> list[str]:
    lines = []
    for wait in sorted(waits, key=lambda wait: (wait not in roots, wait.task.pid)):
        what = f" for {wait.what}" if wait.what else ""
        line = f"  {_who(wait.task)} sleeps in {wait.call}{what}"
        if wait.there:
            line += ", which is there"
        elif wait.wakers is not None:
            others = [task for task in wait.wakers if task is not wait.task]
            who = ", ".join(_who(task) for task in others) or "nobody"
            line += f"; who could wake it: {who}"
        lines.append(line)
    return lines


def _users(kernel: KernelState) -> list[TaskStruct]:
    return [
        task
        for task in for_each_thread(kernel)
        if not task.exit_state and not task.flags & PF_KTHREAD and task.pid > 1
    ]


def _waits(kernel: KernelState) -> list[Wait]:
    """Return the programs' tasks that sleep, by pid."""
    going = {id(path.task) for path in kernel.active}
    users = _users(kernel)
    found = []
    for task in sorted(users, key=lambda task: task.pid):
        if task.on_rq or task.path is None or id(task) in going or task.state == TASK_RUNNING:
            continue
        found.append(_look(task, users))
    return found


def _at_rest(kernel: KernelState) -> bool:
    """Tell whether nobody is in the kernel who may be about to wake somebody."""
    for path in kernel.active:
        if getgeneratorstate(path.gen) != GEN_CREATED:
            return False
    if any(task.on_rq and task.path is not None for task in _users(kernel)):
        return False  # it has been woken, and goes on in the kernel
    return not kernel.stores_wait


def _dead(kernel: KernelState, waits: list[Wait]) -> list[Wait]:
    """Return those whom nobody can wake who is not among them."""
    # for whom all is there somebody may be about to wake
    asleep = {id(wait.task): wait for wait in waits if not wait.there}
    # who is dead may still have somebody to tell of it
    alive = {id(path.task) for path in kernel.active}
    alive.update(id(task) for task in for_each_thread(kernel) if task.on_rq)
    alive.update(id(task) for task in _users(kernel))
    alive.difference_update(asleep)
    going = True
    while going:
        going = False
        for number, wait in asleep.items():
            if number in alive:
                continue
            wakers = alive if wait.wakers is None else {id(task) for task in wait.wakers} & alive
            if wakers:
                alive.add(number)
                going = True
    return [wait for number, wait in asleep.items() if number not in alive]


# -- what a task waits for -------------------------------------------------------------------------


def _look(task: TaskStruct, users: list[TaskStruct]) -> Wait:
    """Return what a sleeper's path says where it stands."""
    gen: Any = task.path
    while getattr(gen, "gi_yieldfrom", None) is not None:
        gen = gen.gi_yieldfrom
    frame = getattr(gen, "gi_frame", None)
    if frame is None:
        return Wait(task)
    looked = _KINDS.get(frame.f_code.co_name)
    return Wait(task) if looked is None else looked(task, frame.f_locals, users)


def _event(task: TaskStruct, has: dict[str, Any], users: list[TaskStruct]) -> Wait:
    what = has["what"]
    wait = Wait(task, there=bool(has["condition"](what)))
    if isinstance(what, Pipe):
        reads = has["queue"] is what.rd_wait
        wait.what = "something to read in a pipe" if reads else "room in a pipe"
        wait.wakers = _holders(what, users, writers=reads)
        wait.owned = wait.wakers is not None
    else:
        wait.what = f"its event on a {type(what).__name__}"
    return wait


def _holders(pipe: Pipe, users: list[TaskStruct], *, writers: bool) -> list[TaskStruct] | None:
    """Return who has the other end of a pipe open; None: it is not known of everybody."""
    found: dict[int, TaskStruct] = {}
    files: dict[int, int] = {}
    tables: dict[int, None] = {}
    for task in users:
        table = task.files
        if table is None:
            continue
        for file in table.fd.values():
            if file.inode.pipe is not pipe:
                continue
            if id(table) not in tables:
                files[id(file)] = files.get(id(file), 0) + 1
            if file.writable if writers else file.readable:
                found[id(task)] = task
        tables[id(table)] = None
    open_ends = pipe.writers if writers else pipe.readers
    if pipe.files > len(files) or open_ends > len(files):
        return None  # an end is on its way through a socket, or is being opened
    return list(found.values())


def _child(task: TaskStruct, has: dict[str, Any], users: list[TaskStruct]) -> Wait:
    wo = has["wo"]
    threads = [other for other in users if other.signal is task.signal]
    children = [
        child
        for thread in threads
        for child in thread.children.values()
        if eligible_pid(wo.kind, wo.pid, child)
    ]
    zombies = [
        child
        for child in children
        if child.exit_state == EXIT_ZOMBIE and not child.ptrace and len(child.signal.threads) == 1
    ]
    wait = Wait(task, owned=True)
    wait.there = bool(zombies)
    told = ", ".join(_who(child) for child in zombies or children)
    wait.what = f"the end of {told}" if told else "the end of a child"
    wait.wakers = [other for child in children for other in child.signal.threads]
    wait.wakers += [other for other in threads if other is not task]
    return wait


def _vfork(task: TaskStruct, has: dict[str, Any], users: list[TaskStruct]) -> Wait:
    child: TaskStruct = has["child"]
    there = child.vfork_done is not task
    return Wait(task, f"{_who(child)} to exec or to exit", there, [child], owned=True)


def _futex(task: TaskStruct, has: dict[str, Any], users: list[TaskStruct]) -> Wait:
    q = has["q"]
    threads = [other for other in users if other.mm is q.owner]
    # in memory that processes share, anybody may have it mapped
    return Wait(task, f"a wake-up of the futex at {q.offset:#x}", not q.queued, threads or None)


def _lock(task: TaskStruct, has: dict[str, Any], users: list[TaskStruct]) -> Wait:
    word: UserLock = has["word"]
    threads = [other for other in users if other.signal is task.signal]
    return Wait(task, "a lock of its program", not word.locked, threads, owned=True)


def _completion(task: TaskStruct, has: dict[str, Any], users: list[TaskStruct]) -> Wait:
    return Wait(task, "a completion", bool(has["completion"].done))


_KINDS: Final[dict[str, Callable[[TaskStruct, dict[str, Any], list[TaskStruct]], Wait]]] = {
    "wait_event": _event,
    "do_wait": _child,
    "wait_for_vfork_done": _vfork,
    "futex_wait": _futex,
    "sys_lock_acquire": _lock,
    "wait_for_completion": _completion,
}
