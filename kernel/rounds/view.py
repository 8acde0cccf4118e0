"""The kernel phase of a round: what came in, what goes out, and what a scheme sees of both."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from typing import Final

from kernel.messages import NEVER, Request
from kernel.rounds.group import CpuReport, Inboxes
from kernel.state import KernelState

CPU_BITS: Final = 12  # of a number in ``View.order``
CPU_MASK: Final = (1 << CPU_BITS) - 1


def _time_of(request: Request) -> int:
    return request[0]  # type: ignore[no-any-return]


def first_of(inboxes: Inboxes, least: int = NEVER) -> int:
    """Return the least time of a message, or ``least``."""
    for inbox in inboxes.values():
        for effect in inbox:
            due_ns: int = effect[0]
            if due_ns < least:
                least = due_ns
    return least


class Pending:
    """The requests that the kernel has not served, in the order in which they arrived."""

    __slots__ = ("requests",)

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def first_ns(self) -> int:
        """Return the least time of a request, or NEVER."""
        requests = self.requests
        return min(requests)[0] if requests else NEVER

    def last_ns(self) -> int:
        """Return the greatest time of a request, or -1."""
        requests = self.requests
        return max(requests)[0] if requests else -1

    def take(self) -> list[Request]:
        """Take all requests, as they arrived."""
        requests, self.requests = self.requests, []
        return requests

    def due(self, limit_ns: int) -> list[Request]:
        """Take the requests at or before ``limit_ns``, in the order ``(time, cpu, seq)``."""
        requests = self.requests
        if not requests:
            return []
        self.requests = []
        if len(requests) == 1 and requests[0][0] <= limit_ns:
            return requests
        requests.sort()  # (time, cpu, seq) is unique: nothing beyond it is compared
        if requests[-1][0] > limit_ns:
            place = bisect_right(requests, limit_ns, key=_time_of)
            self.requests = requests[place:]
            del requests[place:]
        return requests


class View:
    """What a scheme sees of the machine.

    ``cpu_next[n]`` is the time of CPU n's next own event, NEVER while it idles or waits.
    ``inboxes`` are the messages that the CPUs get in the next round. As of the last ``advance``:
    ``virtual_ns``, before which nothing can happen any more; ``first_ns``, the least of
    ``cpu_next``; ``kernel_ns``, when the kernel next has something to do; ``due_ns``, the same with
    load balancing.

    ``waiting`` are, under a scheme that runs free, the CPUs that are told how far to go, each with
    the time of what it does next; those that are still on their way are not among them.

    ``under_way_ns`` is the least time of the messages that CPUs have been sent and have not
    reported on, NEVER where all CPUs report in each round.

    ``order``, from the first call of ``turn`` on, has the CPUs by their next own events: ascending
    numbers ``time << CPU_BITS | cpu``, none for a CPU that has no event.
    """

    __slots__ = (
        "_kernel",
        "_pending",
        "cpu_next",
        "due_ns",
        "first_ns",
        "inboxes",
        "kernel_ns",
        "order",
        "ordered",
        "under_way_ns",
        "virtual_ns",
        "waiting",
    )

    def __init__(self, cpus: int, kernel: KernelState, pending: Pending) -> None:
        self.cpu_next = [NEVER] * cpus
        self.virtual_ns = 0
        self.inboxes: Inboxes = {}  # messages that their CPUs have not got
        self.under_way_ns = NEVER
        self.first_ns = NEVER
        self.kernel_ns = NEVER
        self.due_ns = NEVER
        self.order: list[int] = []
        self.ordered = False
        self.waiting: dict[int, int] = {}
        self._kernel = kernel
        self._pending = pending

    def last_ns(self) -> int:
        """Return the greatest time of a request that the kernel has not served, or -1."""
        return self._pending.last_ns()

    def balance_ns(self) -> int:
        """Return when load balancing is due, or NEVER; alone it goes on for ever."""
        return self._kernel.balance_ns

    def advance(self) -> int:
        """Let virtual time come up to when anything can happen at all, and return that, or NEVER.

        The kernel can go when it has a request, a timer or a path's step.
        """
        if not self.ordered:
            least = min(self.cpu_next)
        elif self.order:
            least = self.order[0] >> CPU_BITS
        else:
            least = NEVER
        self.first_ns = least
        if self.inboxes:
            least = first_of(self.inboxes, least)
        if self.under_way_ns < least:
            least = self.under_way_ns
        kernel_ns = self._kernel.next_ns()
        requests = self._pending.requests
        if requests:
            first_ns: int = requests[0][0] if len(requests) == 1 else min(requests)[0]
            if first_ns < kernel_ns:
                kernel_ns = first_ns
        self.kernel_ns = kernel_ns
        balance_ns = self._kernel.balance_ns
        self.due_ns = kernel_ns if kernel_ns < balance_ns else balance_ns
        if kernel_ns < least:
            least = kernel_ns
        self.virtual_ns = least
        return least

    def turn(self, longest_ns: int) -> tuple[int, int]:
        """Return which CPU has the earliest event, the lowest of equals, and how far it may go.

        That is up to the next event of any other CPU or of the kernel, and not further than
        ``longest_ns`` from its own. There must be an event of a CPU.
        """
        if not self.ordered:
            self.ordered = True
            self.order = sorted(
                [
                    next_ns << CPU_BITS | cpu
                    for cpu, next_ns in enumerate(self.cpu_next)
                    if next_ns < NEVER
                ]
            )
        order = self.order
        first_ns = order[0] >> CPU_BITS
        horizon_ns = first_ns + longest_ns
        if self.due_ns < horizon_ns:
            horizon_ns = self.due_ns
        if len(order) > 1:
            other_ns = order[1] >> CPU_BITS
            if other_ns < horizon_ns:
                horizon_ns = other_ns
        return order[0] & CPU_MASK, horizon_ns

    def _reorder(self, cpu: int, before_ns: int, next_ns: int) -> None:
        """CPU ``cpu`` has its next event at another time."""
        order = self.order
        if before_ns < NEVER:
            order.pop(bisect_left(order, before_ns << CPU_BITS | cpu))
        if next_ns < NEVER:
            insort(order, next_ns << CPU_BITS | cpu)

    # -- the engine's ---------------------------------------------------------------------------

    def take_in(self, reports: Iterable[CpuReport]) -> Inboxes:
        """Take what the CPUs have to say: note their times, and keep what they ask for.

        Returns:
            What they said to each other, by destination.
        """
        inboxes: Inboxes = {}
        cpu_next = self.cpu_next
        arrived = self._pending.requests
        for cpu, upcoming, requests, forwards in reports:
            if self.ordered and cpu_next[cpu] != upcoming:
                self._reorder(cpu, cpu_next[cpu], upcoming)
            cpu_next[cpu] = upcoming
            if requests:
                arrived.extend(requests)
            for dest, message in forwards:
                inbox = inboxes.get(dest)
                if inbox is None:
                    inboxes[dest] = [message]
                else:
                    inbox.append(message)
        return inboxes

    def serve(self, requests: list[Request], limit_ns: int, inboxes: Inboxes) -> None:
        """Let the kernel serve requests, and all else that is due up to ``limit_ns``.

        Args:
            requests: in the scheme's order.
            limit_ns: how far virtual time may go in the kernel.
            inboxes: get what the kernel says to the CPUs.
        """
        kernel = self._kernel
        if requests:
            kernel.deliver(requests)
        kernel.run(limit_ns)
        for cpu, effects in kernel.take_effects().items():
            inbox = inboxes.get(cpu)
            if inbox is None:
                inboxes[cpu] = effects
            else:
                inbox.extend(effects)
