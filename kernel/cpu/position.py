"""Where a thread stands between two events of its CPU, and how it gets from one place to another.

A CPU stands where its current task does (``rq.curr.at``)::

    IDLE        its idle task runs
    USER        in user mode: the next blocks, time that is left, or a system call that is due
    IN_KERNEL   inside a system call, which goes on when the task runs (again)
    ASKED       it has asked the kernel, and keeps its CPU busy until the answer comes
    HALTED      its program broke the run: nothing comes after
    GONE        dead

TIF_SIGPENDING, TIF_NEED_RESCHED and where the context lives are axes of their own, as in Linux, and
stay flags: they are set at any time and looked at on the way to user mode.

``MOVES`` has every legal move: what happens to a task that stands somewhere, and where it stands
then. What happens is an effect (its code in ``kernel.messages``) or one of the CPU's own acts, ASK
and HALT. Anything else is a bug of the emulator, and is refused with the CPU's story.
"""

from typing import TYPE_CHECKING, Final

from kernel import messages as m
from kernel.errors import InvariantError, describe

if TYPE_CHECKING:
    from kernel.cpu.cpu import Cpu
    from kernel.cpu.task import CpuTask

IDLE: Final = 0
USER: Final = 1
IN_KERNEL: Final = 2
# from here on a CPU waits for messages only
ASKED: Final = 3
HALTED: Final = 4
GONE: Final = 5

NAMES: Final[tuple[str, ...]] = (
    "idle",
    "in user mode",
    "in the kernel",
    "waiting for an answer",
    "halted",
    "gone",
)

# what a CPU does by itself; above all codes of effects
ASK: Final = 30
HALT: Final = 31

_ANSWERS: Final = {
    m.EFF_RETURN: USER,
    m.EFF_ERROR: USER,
    m.EFF_NEXT: USER,
    m.EFF_TAKE: USER,
    m.EFF_USER: USER,
    m.EFF_HANDLE: USER,
    m.EFF_EXEC: USER,
    m.EFF_SLEEP: IN_KERNEL,
    m.EFF_RESCHED: IN_KERNEL,
    m.EFF_DEAD: GONE,
}
# what may come at any time, and moves nobody
_ANYWHERE: Final = (m.EFF_SIGNAL, m.EFF_RENICE, m.EFF_TRACED, m.EFF_TUNE)

MOVES: Final[dict[tuple[int, int], int]] = {
    (USER, ASK): ASKED,
    (IN_KERNEL, ASK): ASKED,
    (USER, HALT): HALTED,
    **{(ASKED, code): to for code, to in _ANSWERS.items()},
    **{(at, code): at for at in (USER, IN_KERNEL, ASKED, HALTED) for code in _ANYWHERE},
    # it slept; whoever has lost its CPU inside the call forks and execs from there
    (IN_KERNEL, m.EFF_WAKE): IN_KERNEL,
    (ASKED, m.EFF_FORK): ASKED,
    (IN_KERNEL, m.EFF_FORK): IN_KERNEL,
    (ASKED, m.EFF_RENAME): ASKED,
    (IN_KERNEL, m.EFF_RENAME): IN_KERNEL,
}

REFUSED: Final = -1
# the same by number: MOVE_TO[at << 5 | event]
MOVE_TO: Final = tuple(
    MOVES.get((at, event), REFUSED) for at in range(len(NAMES)) for event in range(32)
)
# effects about a task that is on its CPU; the others bring one, or are about the queue
_AT_ALL: Final = frozenset(event for _, event in MOVES)
ABOUT_A_TASK: Final = tuple(code in _AT_ALL for code in range(ASK))


def move(cpu: "Cpu", task: "CpuTask", event: int) -> None:
    """Move ``task``, on ``cpu``, as ``event`` says.

    Raises:
        InvariantError: it stands where that cannot happen; the message is the story.
    """
    to = MOVE_TO[task.at << 5 | event]
    if to < 0:
        raise InvariantError(refusal(cpu, task, event))
    task.at = to


def refusal(cpu: "Cpu", task: "CpuTask", event: int) -> str:
    """Return the story of a move that the table does not have."""
    if event == ASK:
        what = "is to ask the kernel"
    elif event == HALT:
        what = "is to halt"
    else:
        name = m.EFFECTS[event][0] if event in m.EFFECTS else str(event)
        what = f"gets {name}"
    expected = [NAMES[at] for at, code in MOVES if code == event]
    story = [
        f"cpu {cpu.id} at {cpu.now_ns} ns: {task!r} is {NAMES[task.at]} and {what}, "
        f"which is for one that is {' or '.join(expected) or 'nowhere'}"
    ]
    if task is not cpu.rq.curr:
        story.append(f"current is {cpu.rq.curr!r}, {NAMES[cpu.rq.curr.at]}")
    story.append(
        f"its op is {task.op!r}, {task.remaining_ns} ns of user time are left, it is "
        f"{'' if task.on_rq else 'not '}on the queue"
    )
    story += [f"said: {describe(request, request=True)}" for request in cpu.out[-4:]]
    story += [f"to come: {describe(effect, request=False)}" for _, _, effect in cpu.inbox[:4]]
    return "; ".join(story)
