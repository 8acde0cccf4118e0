"""CFS once more, straight from its rules: a list, a minimum, no structure to be fast.

It shares nothing with ``kernel.sched.cfs``. All virtual times are what exact fractions give,
rounded where Linux rounds: run time becomes virtual time by multiplying with 2^32/weight, and a
slice is the part of the period that falls to the weight, by multiplying with 2^32/load; both
inverses are whole numbers, products are cut to 32 bits before they are shifted, and every result
is rounded down. Ties go to who joined the queue first; a task that is taken off its CPU runnable
joins anew, and so does one whose nice value changes.

Source: kernel/sched/fair.c of Linux 6.1.
"""

from fractions import Fraction

from tests.kernel.sched.eevdf_reference import BATCH, IDLE, NORMAL, virtual


def share(period, weight, load):
    """The part ``weight`` of ``load`` of a period, as Linux computes it."""
    factor, shift = weight * (0xFFFFFFFF // load), 32
    while factor >> 32:
        factor >>= 1
        shift -= 1
    result = period * factor >> shift
    exact = Fraction(period * weight, load)
    assert 0 <= exact - result <= 1 + exact / 1000, "rounding is no more than that"
    return result


class Task:
    def __init__(self, name, weight, policy=NORMAL):
        self.name = name
        self.weight = weight
        self.policy = policy
        self.v = 0  # relative to min_v while it is between two queues
        self.on = False
        self.order = 0
        self.stretch = 0  # what it has run since it was picked

    def __repr__(self):
        return f"<{self.name} v={self.v} on={self.on}>"

    def virtual(self, delta):
        return virtual(delta, self.weight)


class Queue:
    """``latency``, ``granularity`` and ``wakeup`` as they are on this machine, in ns."""

    def __init__(self, latency, granularity, wakeup):
        self.latency = latency
        self.granularity = granularity
        self.wakeup = wakeup
        self.most = -(-latency // granularity)  # so many share a period before it grows
        self.on = []
        self.curr = self.next = self.last = self.skip = None
        self.min_v = 0
        self.resched = False
        self.orders = 0
        self.ran = 0  # of current, since it was last charged

    # -- rules --------------------------------------------------------------------------------

    def in_order(self, but=None):
        waiting = [task for task in self.on if task is not but]
        return sorted(waiting, key=lambda task: (task.v, task.order))

    def advance(self):
        """min_v follows the least vruntime and never goes back."""
        if self.on:
            self.min_v = max(self.min_v, min(task.v for task in self.on))

    def slice_of(self, task):
        everybody = self.on if task in self.on else [*self.on, task]
        period = self.latency
        if len(everybody) > self.most:
            period = len(everybody) * self.granularity
        load = sum(each.weight for each in everybody)
        least = self.granularity
        if task.policy == IDLE and not (self.on and all(each.policy == IDLE for each in self.on)):
            least = 750_000
        return max(share(period, task.weight, load), least)

    def ahead(self, curr, task):
        """How unfair to ``task`` it is that ``curr`` runs: -1 not, 0 a little, 1 too much."""
        if curr.v <= task.v:
            return -1
        return 1 if curr.v - task.v > task.virtual(self.wakeup) else 0

    def join(self, task):
        self.orders += 1
        task.order = self.orders

    def forget(self, task):
        self.next = None if self.next is task else self.next
        self.last = None if self.last is task else self.last
        self.skip = None if self.skip is task else self.skip

    # -- what happens -------------------------------------------------------------------------

    def run(self, delta):
        self.ran += delta

    def update(self):
        """Charge current for what it ran: before anything is decided, and at no other time."""
        delta, self.ran = self.ran, 0
        if self.curr is not None and delta:
            self.curr.v += self.curr.virtual(delta)
            self.curr.stretch += delta
            self.advance()

    def tick(self):
        self.update()
        curr = self.curr
        if curr is None or len(self.on) < 2:
            return
        ideal = self.slice_of(curr)
        if curr.stretch > ideal:
            self.resched = True
            self.forget(curr)
        elif curr.stretch >= self.granularity and curr.v - self.in_order(curr)[0].v > ideal:
            self.resched = True

    def fork(self, child, first):
        """``child`` of the running task is placed; ``first``: it is to run before its parent."""
        self.update()
        parent = self.curr
        child.v = max(parent.v, self.min_v + child.virtual(self.slice_of(child)))
        if first and parent.v < child.v:
            parent.v, child.v = child.v, parent.v
            self.resched = True
        child.v -= self.min_v

    def enqueue(self, task, how):
        """``how``: new, woken, moved (it was runnable elsewhere), both (woken elsewhere)."""
        self.update()
        if how != "woken":
            task.v += self.min_v
        if how in ("woken", "both"):
            credit = (self.granularity if task.policy == IDLE else self.latency) // 2
            task.v = max(task.v, self.min_v - credit)
        task.on = True
        self.on.append(task)
        self.join(task)

    def migrate(self, task):
        """A sleeper is about to be woken elsewhere."""
        task.v -= self.min_v

    def leave(self, task, sleeps, special=False):
        self.update()
        self.forget(task)
        self.on.remove(task)
        task.on = False
        if task is self.curr:
            self.curr = None
        if not sleeps:
            task.v -= self.min_v
        self.advance()

    def woken(self, task):
        curr = self.curr
        if curr is None:
            self.resched = True
            return
        if curr is task or self.resched:
            return
        if curr.policy == IDLE and task.policy != IDLE:
            self.resched = True
            return
        if task.policy != NORMAL:
            return
        self.update()
        if self.ahead(curr, task) == 1:
            self.resched = True
            self.next = task
            if len(self.on) >= self.most and curr.policy != IDLE:
                self.last = curr

    def choose(self):
        order = self.in_order()
        if not order:
            return None
        left = best = order[0]
        if self.skip is left and len(order) > 1 and self.ahead(order[1], left) < 1:
            best = order[1]
        if self.next is not None and self.ahead(self.next, left) < 1:
            return self.next
        if self.last is not None and self.ahead(self.last, left) < 1:
            return self.last
        return best

    def schedule(self):
        self.update()
        if self.curr is not None:
            self.join(self.curr)
        self.curr = self.choose()
        self.resched = False
        if self.curr is not None:
            self.forget(self.curr)
            self.curr.stretch = 0
        return self.curr

    def renice(self, task, weight):
        """It is taken off and put back: it is no buddy any more, and its stretch begins anew."""
        if task.on:
            self.update()
        task.weight = weight
        if not task.on:
            return
        self.forget(task)
        self.join(task)
        if task is self.curr:
            task.stretch = 0

    def give_up(self):
        self.resched = True
        if len(self.on) > 1:
            self.forget(self.curr)
            if self.curr.policy != BATCH:
                self.update()
            self.skip = self.curr
