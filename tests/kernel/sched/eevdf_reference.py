"""EEVDF once more, straight from its rules: lists, exact fractions, no structure to be fast.

It shares nothing with ``kernel.sched.eevdf``. Documented roundings are Linux's: run time becomes
virtual time by multiplying with 2^32/weight and shifting, the average is rounded down where it is
written into a task, and quotients of lags go towards zero. Ties go to who joined the queue first,
between a waiting task and current to the waiting one.

One rule is the emulator's: a task that is alone but for delayed sleepers gets no ticks. If there
would have been one since it was last charged, what that would have done to the sleepers is done
before somebody joins or leaves.

Source: kernel/sched/fair.c and features.h of Linux 6.12.
"""

from fractions import Fraction
from math import trunc

NORMAL, BATCH, IDLE = 0, 3, 5
WEIGHTS = {-20: 88761, -10: 9548, -5: 3121, 0: 1024, 1: 820, 5: 335, 10: 110, 19: 15}
WMULTS = {
    88761: 48388,
    9548: 449829,
    3121: 1376151,
    1024: 4194304,
    820: 5237765,
    335: 12820798,
    110: 39045157,
    15: 286331153,
    3: 1431655765,
}
FEATURES = {
    "run_to_parity": True,
    "preempt_short": True,
    "delay_dequeue": True,
    "place_lag": True,
    "place_deadline_initial": True,
}


def virtual(delta, weight):
    if weight == 1024:
        return delta
    factor, shift = 1024 * WMULTS[weight], 32
    while factor >> 32:
        factor >>= 1
        shift -= 1
    return delta * factor >> shift


class Task:
    def __init__(self, name, weight, slice_ns=0, policy=NORMAL):
        self.name = name
        self.weight = weight
        self.policy = policy
        self.slice = slice_ns
        self.v = self.deadline = self.lag = 0
        self.on = self.delayed = self.relative = False
        self.order = 0
        self.protected = None  # the deadline with which it was picked

    def __repr__(self):
        return f"<{self.name} v={self.v} d={self.deadline} lag={self.lag} on={self.on}>"


class Queue:
    def __init__(self, base_slice, tick, now=0, **features):
        self.features = {**FEATURES, **features}
        self.base_slice = base_slice
        self.tick_ns = tick
        self.on = []
        self.curr = None
        self.resched = False
        self.orders = 0
        self.ran = 0  # of current, since it was last charged
        self.now = now
        self.charged = now  # when that was, or when it was picked

    def slice_of(self, task):
        return task.slice or self.base_slice

    def average(self):
        weights = sum(task.weight for task in self.on)
        if not weights:
            return Fraction(0)
        return Fraction(sum(task.weight * task.v for task in self.on), weights)

    def eligible(self, task):
        return task.v <= self.average()

    def join(self, task):
        self.orders += 1
        task.order = self.orders

    def place(self, task, others, initial=False):
        weights = sum(other.weight for other in others)
        lag = 0
        if others and self.features["place_lag"]:
            lag = trunc(Fraction(task.lag * (weights + task.weight), weights))
        base = self.average()
        task.v = base.__floor__() - lag
        if task.relative:
            task.deadline += task.v
            task.relative = False
            return
        share = virtual(self.slice_of(task), task.weight)
        half = initial and self.features["place_deadline_initial"]
        task.deadline = task.v + (share // 2 if half else share)

    def note_lag(self, task):
        limit = virtual(max(2 * self.slice_of(task), self.tick_ns), task.weight)
        task.lag = max(-limit, min(limit, self.average().__floor__() - task.v))

    def enqueue(self, task, how):
        """``how``: new, woken, moved (it was runnable elsewhere), both (woken elsewhere)."""
        self.update_after_ticks()
        if task.delayed:
            task.delayed = False
            self.note_lag(task)
            if task.lag > 0:
                task.lag = 0
                others = [other for other in self.on if other is not task]
                if others:
                    self.on = others  # it is placed as one that comes without lag
                    self.place(task, others)
                    self.on.append(task)
                else:
                    self.place(task, [])
                self.join(task)
            return
        self.place(task, self.on, how == "new")
        task.on = True
        self.on.append(task)
        self.join(task)

    def run(self, delta):
        self.ran += delta
        self.now += delta

    def update_after_ticks(self):
        """Charge current; sleepers that a tick would have found to have paid leave."""
        alone = sum(not task.delayed for task in self.on) == 1 < len(self.on)
        ticked = self.curr is not None and self.charged // self.tick_ns != self.now // self.tick_ns
        self.update()
        while alone and ticked and len(self.on) > 1:
            task = self.choose()
            if not task.delayed:
                return
            self.pay(task)

    def update(self):
        """Charge current for what it ran: before anything is decided, and at no other time."""
        delta, self.ran = self.ran, 0
        self.charged = self.now
        task = self.curr
        if not delta or task is None:
            return
        task.v += virtual(delta, task.weight)
        if task.v >= task.deadline:
            task.deadline = task.v + virtual(self.slice_of(task), task.weight)
            due = True
        else:
            due = task.protected != task.deadline and not self.eligible(task)
            due = due and self.features["preempt_short"]
        if due and len(self.on) > 1:
            self.resched = True

    def leave(self, task, sleeps, special=False):
        self.update_after_ticks()
        stays = sleeps and not special and self.features["delay_dequeue"]
        if stays and not self.eligible(task):
            task.delayed = True
            return
        self.note_lag(task)
        if not sleeps:
            task.deadline -= task.v
            task.relative = True
        self.drop(task)

    def drop(self, task):
        self.on.remove(task)
        task.on = False
        if task is self.curr:
            self.curr = None

    def choose(self):
        curr = self.curr
        if curr is not None and not curr.on:
            curr = None
        if len(self.on) == 1:
            return self.on[0]
        if curr is not None and not self.eligible(curr):
            curr = None
        protected = curr is not None and curr.protected == curr.deadline
        if protected and self.features["run_to_parity"]:
            return curr
        waiting = [task for task in self.on if task is not self.curr and self.eligible(task)]
        best = min(waiting, key=lambda task: (task.deadline, task.order), default=None)
        if best is None or (curr is not None and curr.deadline < best.deadline):
            return curr
        return best

    def schedule(self):
        self.update()
        while self.on:
            task = self.choose()
            if not task.delayed:
                break
            self.pay(task)
        else:
            task = None
        if task is not self.curr:
            if self.curr is not None:
                self.join(self.curr)
            if task is not None:
                task.protected = task.deadline
            self.curr = task
        self.resched = False
        return task

    def pay(self, task):
        """A sleeper that was in debt leaves; it has not gained meanwhile."""
        self.note_lag(task)
        task.lag = min(task.lag, 0)
        task.delayed = False
        self.drop(task)

    def migrate(self, task):
        """A sleeper is about to be woken elsewhere."""
        if task.delayed:
            self.update()
            self.pay(task)

    def tick(self):
        self.update()

    def woken(self, task):
        curr = self.curr
        if curr is None:
            self.resched = True
            return
        if curr is task or self.resched:
            return
        if curr.policy == IDLE and task.policy != IDLE:
            curr.protected = None
            self.resched = True
            return
        if task.policy != NORMAL:
            return
        self.update()
        shorter = self.slice_of(task) < self.slice_of(curr)
        before = task.deadline < curr.deadline or not self.eligible(curr)
        if self.features["preempt_short"] and shorter and before and self.eligible(task):
            curr.protected = None
        if self.choose() is task:
            self.resched = True

    def renice(self, task, weight):
        """It is taken off and put back: if it runs, its slice is protected anew."""
        if task.on:
            self.update()
        else:
            task.lag = trunc(Fraction(task.lag * task.weight, weight))
            if task.relative:
                task.deadline = trunc(Fraction(task.deadline * task.weight, weight))
            task.weight = weight
            return
        self.note_lag(task)
        task.deadline = trunc(Fraction((task.deadline - task.v) * task.weight, weight))
        task.lag = trunc(Fraction(task.lag * task.weight, weight))
        task.weight = weight
        task.relative = True
        others = [other for other in self.on if other is not task]
        self.on = others
        self.place(task, others)
        self.on.append(task)
        if task is self.curr:
            task.protected = task.deadline
        else:
            self.join(task)

    def give_up(self):
        self.update()
        task = self.curr
        if self.eligible(task):
            task.v = task.deadline
            task.deadline += virtual(self.slice_of(task), task.weight)
        self.resched = True
