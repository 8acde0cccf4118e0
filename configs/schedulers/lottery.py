"""A lottery: each waiting task has as many tickets as its weight, and the winner runs for a slice.

A task's chance is its share, so nobody is sure of when, and everybody runs in the end. The draw is
of ``self.random``, whose numbers follow from the seed of the configuration. Tickets are numbered in
the order of arrival: of two tasks with 3 and 2 the first has 0 to 2, the second 3 and 4.

    sched: {fair: "schedulers/lottery.py:Lottery"}
"""

from bisect import bisect_right
from itertools import accumulate

from kernel.sched.ext import SCX_DSQ_LOCAL, ExtScheduler

SLICE_NS = 5_000_000


class Lottery(ExtScheduler):
    def init(self):
        self.waiting = []
        self.tickets = []  # how many each of them has

    def enqueue(self, p, enq_flags):
        if not self.waiting:
            self.kick_cpu(self.cpu)  # it may idle
        self.waiting.append(p)
        self.tickets.append(p.weight)

    def dequeue(self, p, deq_flags):
        place = self.waiting.index(p)
        del self.waiting[place], self.tickets[place]

    def set_weight(self, p, weight):
        if p in self.waiting:
            self.tickets[self.waiting.index(p)] = weight

    def dispatch(self, cpu, prev):
        if not self.waiting:
            return
        ends = list(accumulate(self.tickets))
        place = bisect_right(ends, self.random(ends[-1]))
        self.dsq_insert(self.waiting[place], SCX_DSQ_LOCAL, SLICE_NS)
        del self.waiting[place], self.tickets[place]
