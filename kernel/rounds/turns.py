"""The turns of the scheme ``exact``, several in one go as long as they concern nobody else.

Under ``exact`` the logical process with the earliest next event goes, no further than to the next
event of any other. Most events of a CPU whose tasks compute are ticks and switches, which nobody
else hears of. After such a turn everything that decides who goes next is known here: when each
CPU has its next event (``View.order``), and when the kernel has (``View.due_ns``). So the next turn
is taken at once, and no scheme and no kernel phase is asked in between.

Why this changes nothing. The kernel's state, its timers and its requests change in its phase only,
and it has one only if it is asked for something or has come to ``due_ns``; a CPU changes in its own
steps only, for what reaches it are messages, and none is under way when turns begin (the scheme
settles) nor is sent by a turn that goes on to another. So between two kernel phases each decision
of ``exact`` is a function of the CPUs' next events and of ``due_ns``, which does not move. Turns
are taken here by the same rule, one by one: the same CPU, the same horizon, in the same order, and
counted as the rounds that they are. They end where the answer would no longer be only that: a CPU
has something to say; it is the kernel's turn; the run has come to its limit (or, for the engine's
sake, after so many). Therefore traces,
counters and digests are those of a loop through scheme and kernel after every event, which is what
a run is that is recorded or replayed round by round (``tests/cluster/sync/test_turns.py``).

It is not looking ahead in virtual time: whether a CPU's tick at just the time of a message comes
before or after it depends on whose turn was the last before, so turns may not be merged.
"""

from bisect import insort
from typing import Final

from kernel.messages import NEVER
from kernel.rounds.group import CpuReport, Group
from kernel.rounds.view import CPU_BITS, CPU_MASK, View

# blocks of guest programs after which turns end; whoever waits for Ctrl-C would wait long
_MOST_BLOCKS: Final = 10_000
_NO_REPORTS: Final[list[CpuReport]] = []  # nobody changes it


def take_turns(
    group: Group, view: View, longest_ns: int, until_ns: int, most: int
) -> tuple[int, list[CpuReport]]:
    """Take turns until somebody has something to say.

    Args:
        group: all CPUs of the machine; messages between them settle.
        view: as of now, after ``advance``, with nothing under way.
        longest_ns: of virtual time that a turn may take.
        until_ns: no turn begins after it.
        most: how many turns at most.

    Returns:
        The number of turns, and what the last of them has to say, as ``Group.step`` returns it.
    """
    cpus = group.cpus
    order = view.order
    cpu_next = view.cpu_next
    due_ns = view.due_ns
    made = 0
    blocks = 0
    while made < most and order:
        first = order[0]
        first_ns = first >> CPU_BITS
        if due_ns <= first_ns or first_ns > until_ns:
            break
        cpu = first & CPU_MASK
        horizon_ns = first_ns + longest_ns  # as View.turn() says
        if due_ns < horizon_ns:
            horizon_ns = due_ns
        if len(order) > 1:
            other_ns = order[1] >> CPU_BITS
            if other_ns < horizon_ns:
                horizon_ns = other_ns
        lp = cpus[cpu]
        blocks -= lp.stats.blocks
        upcoming = lp.go_on(horizon_ns)
        blocks += lp.stats.blocks
        made += 1
        cpu_next[cpu] = upcoming
        order.pop(0)
        if upcoming < NEVER:
            key = upcoming << CPU_BITS | cpu
            if order and key < order[-1]:
                insort(order, key)
            else:  # mostly it was the first of those that do the same at the same time
                order.append(key)
        if lp.out or lp.forwards:
            return made, group.hand_on(lp, upcoming)
        if blocks > _MOST_BLOCKS:
            break
    return made, _NO_REPORTS
