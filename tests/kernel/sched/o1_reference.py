"""The O(1) scheduler once more, straight from its rules: one list of tasks, no bitmap, no queues.

It shares nothing with ``kernel.sched.o1``. Times of sleep are in ns and slices in ticks, as in
Linux; how long the expired ones have waited is in ns, not in ticks. Of equal priority who joined
its array first goes first; who is made to go before somebody has half of a place before it.

Source: kernel/sched.c of Linux 2.6.11.
"""

from fractions import Fraction

TICK_NS = 1_000_000
SLICE = 100  # ticks, of nice 0
LEAST = 5
GRANULARITY = 10
SLEEP_TICKS = 1000  # MAX_SLEEP_AVG
SLEEP_NS = SLEEP_TICKS * TICK_NS
ACTIVE, EXPIRED = "active", "expired"


class Task:
    def __init__(self, name, nice, batch=False):
        self.name = name
        self.nice = nice
        self.batch = batch  # no bonus
        self.prio = 120
        self.left = 0  # ticks of the slice; 0: it has not had one yet
        self.first = False  # it is in its first slice, which it has from its parent
        self.avg = 0  # sleep_avg
        self.stamp = 0
        self.activated = 0
        self.array = None
        self.to = ACTIVE  # the array of its next queue
        self.place = Fraction(0)

    def __repr__(self):
        return f"<{self.name} prio={self.prio} left={self.left} avg={self.avg} {self.array}>"

    @property
    def on(self):
        return self.array is not None

    @property
    def static(self):
        return 120 + self.nice

    @property
    def bonus(self):
        return self.avg // TICK_NS * 10 // SLEEP_TICKS

    @property
    def effective(self):
        if self.batch:
            return self.static
        return max(100, min(139, self.static - (self.bonus - 5)))

    @property
    def slice(self):
        whole = 4 * SLICE if self.static < 120 else SLICE
        return max(whole * (140 - self.static) // 20, LEAST)

    @property
    def delta(self):
        return int(Fraction(self.nice * 10, 40)) + 2  # C rounds towards zero

    @property
    def interactive(self):
        return self.prio <= self.static - self.delta

    @property
    def enough_ns(self):
        return (SLEEP_TICKS * (5 + self.delta + 1) // 10 - 1) * TICK_NS

    def slept_until(self, now):
        slept = min(now - self.stamp, SLEEP_NS)
        if slept > 0:
            if self.activated != -1 and slept > self.enough_ns:
                self.avg = SLEEP_NS - SLICE * TICK_NS
            else:
                slept *= (10 - self.bonus) or 1
                if self.activated == -1:
                    if self.avg >= self.enough_ns:
                        slept = 0
                    elif self.avg + slept >= self.enough_ns:
                        self.avg = self.enough_ns
                        slept = 0
                self.avg = min(self.avg + slept, SLEEP_NS)
        self.prio = self.effective


class Queue:
    def __init__(self, child_first=False):
        self.child_first = child_first
        self.now = 0
        self.tasks = []
        self.curr = None
        self.resched = False
        self.places = 0
        self.expired_since = None
        self.best_expired = 140
        self.parents = {}  # child -> parent

    def join(self, task, array):
        self.places += 1
        task.place = Fraction(self.places)
        task.array = array
        if task not in self.tasks:
            self.tasks.append(task)

    def drop(self, task):
        task.array = None
        self.tasks.remove(task)

    def of(self, array):
        return [task for task in self.tasks if task.array == array]

    def run(self, delta):
        self.now += delta

    def update(self):
        """Nothing: what a task ran counts when it stops."""

    def charge(self, task):
        """What it ran takes from its sleep; less, the more interactive it is."""
        ran = min(self.now - task.stamp, SLEEP_NS)
        if ran > 0:
            task.avg = max(0, task.avg - ran // (task.bonus or 1))
        task.stamp = self.now

    def enqueue(self, task, how):
        """``how``: new, woken, moved (it was runnable elsewhere), both (woken elsewhere)."""
        if not task.left:
            task.left = task.slice
        if how in ("woken", "both"):
            task.slept_until(self.now)
            task.activated = task.activated or 1
            task.stamp = self.now
        elif how == "new":
            task.stamp = self.now
            task.prio = task.effective
        self.join(task, task.to)
        task.to = ACTIVE

    def fork(self, child):
        """The child of the running task is made; it is queued by ``enqueue``, then ``before``."""
        parent = self.curr
        child.left = (parent.left + 1) // 2
        child.first = True
        parent.left //= 2
        if not parent.left:
            parent.left = 1
            self.tick()
        child.avg = parent.bonus * 95 // 100 * SLICE * TICK_NS
        parent.avg = parent.bonus * SLICE * TICK_NS
        self.parents[child] = parent
        if self.child_first:
            self.resched = True

    def before(self, child):
        """The child goes before its parent, whose priority it has."""
        parent = self.parents[child]
        child.prio, child.array = parent.prio, parent.array
        equals = [t.place for t in self.of(parent.array) if t.place < parent.place]
        child.place = (max(equals, default=parent.place - 1) + parent.place) / 2

    def die(self):
        """The running task ends: the rest of its first slice goes back, a hog costs some."""
        task = self.curr
        self.leave(task, True, True)
        self.schedule()
        for child in [child for child, parent in self.parents.items() if parent is task]:
            del self.parents[child]
        parent = self.parents.pop(task, None)
        if parent is not None:
            if task.first:
                parent.left = min(parent.left + task.left, task.slice)
            if task.avg < parent.avg:
                parent.avg = parent.avg // 4 * 3 + task.avg // 4

    def leave(self, task, sleeps, special=False, device=False):
        array = task.array
        self.drop(task)
        if sleeps:
            if task is self.curr:
                self.charge(task)
            task.activated = -1 if device else 0
        else:
            task.to = array
            self.forget(task)
        if task is self.curr:
            self.curr = None

    def forget(self, task):
        self.parents.pop(task, None)
        for child in [child for child, parent in self.parents.items() if parent is task]:
            del self.parents[child]

    def migrate(self, task):
        """A sleeper is about to be woken elsewhere."""
        self.forget(task)

    def tick(self):
        task = self.curr
        if task is None:
            return
        if task.array != ACTIVE:
            self.resched = True
            return
        task.left -= 1
        if task.left > 0:
            step = GRANULARITY << (((10 - task.bonus) or 1) - 1)
            used = task.slice - task.left
            if task.interactive and used % step == 0 and task.left >= step:
                self.join(task, ACTIVE)
                self.resched = True
            return
        self.resched = True
        task.prio = task.effective
        task.left = task.slice
        task.first = False
        if self.expired_since is None:
            self.expired_since = self.now
        limit = SLEEP_NS * len(self.tasks) + TICK_NS
        starve = self.now - self.expired_since >= limit or task.static > self.best_expired
        if task.interactive and not starve:
            self.join(task, ACTIVE)
        else:
            self.join(task, EXPIRED)
            self.best_expired = min(self.best_expired, task.static)

    def woken(self, task):
        if self.curr is None or (task is not self.curr and task.prio < self.curr.prio):
            self.resched = True

    def schedule(self):
        if self.curr is not None:
            self.charge(self.curr)
        self.curr = None
        if self.tasks and not self.of(ACTIVE):
            for task in self.tasks:
                task.array = ACTIVE
            self.expired_since = None
            self.best_expired = 140
        task = min(self.of(ACTIVE), key=lambda task: (task.prio, task.place), default=None)
        self.resched = False
        if task is not None:
            if task.activated > 0:
                # waiting for the CPU counts as sleep, by 30 per cent in steps of 1/128
                task.slept_until(task.stamp + (self.now - task.stamp) * 38 // 128)
                self.join(task, ACTIVE)
            task.activated = 0
            task.stamp = self.now
            self.curr = task
        return task

    def renice(self, task, nice):
        """Its bonus is forgotten until it sleeps or its slice ends."""
        task.nice = nice
        if not task.on:
            return
        delta = task.static - task.prio
        task.prio = task.static
        self.join(task, task.array)
        if delta < 0 or (delta > 0 and task is self.curr):
            self.resched = True

    def give_up(self):
        self.join(self.curr, EXPIRED)
        self.resched = True
