"""How many tasks are runnable on each CPU, from wake-ups, switches and migrations.

That is ``nr_running`` of Linux, with the tasks of throttled groups: who runs counts, the idle task
does not.
"""

from kernel.uapi.task_state import TASK_REPORT_MAX


class Queues:
    """The runqueues of a machine. Each method returns the CPUs whose number has changed."""

    def __init__(self, cpus: int) -> None:
        self.length = [0] * cpus
        self._cpu_of: dict[int, int] = {}  # of those that are runnable
        self._on = [0] * cpus  # who was switched to

    def copy(self) -> "Queues":
        """Return queues that are as these are now, and go on by themselves."""
        other = Queues(len(self.length))
        other.length = list(self.length)
        other._cpu_of = dict(self._cpu_of)
        other._on = list(self._on)
        return other

    def wake(self, pid: int, cpu: int) -> tuple[int, ...]:
        """A task becomes runnable, or was already."""
        if pid in self._cpu_of or pid == 0:
            return ()
        self._cpu_of[pid] = cpu
        self.length[cpu] += 1
        return (cpu,)

    def switch(self, cpu: int, prev: int, state: int, pid: int) -> tuple[int, ...]:
        """A CPU goes from ``prev``, which is left in ``state``, to task ``pid``."""
        if self._on[cpu] != prev:
            self._renumber(self._on[cpu], prev, cpu)
        self._on[cpu] = pid
        changed = self.wake(pid, cpu) if pid else ()  # its wake-up was not recorded
        if state and state != TASK_REPORT_MAX and prev:
            where = self._cpu_of.pop(prev, -1)
            if where >= 0:
                self.length[where] -= 1
                return (*changed, where) if where not in changed else changed
        return changed

    def _renumber(self, before: int, pid: int, cpu: int) -> None:
        """Who ran on a CPU has another number by now: a thread that was no leader did exec."""
        if self._cpu_of.get(before, -1) == cpu and pid:
            del self._cpu_of[before]
            if self._cpu_of.setdefault(pid, -1) >= 0:  # it was woken when it had that number
                self.length[cpu] -= 1
            else:
                self._cpu_of[pid] = cpu

    def move(self, pid: int, cpu: int) -> tuple[int, ...]:
        """A task is another CPU's now; one that sleeps counts nowhere."""
        where = self._cpu_of.get(pid, -1)
        if where in (-1, cpu):
            return ()
        self._cpu_of[pid] = cpu
        self.length[where] -= 1
        self.length[cpu] += 1
        return where, cpu
