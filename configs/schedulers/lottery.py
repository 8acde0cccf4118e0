"""A lottery: each waiting task has as many tickets as its weight, and the winner runs for a slice.

A task's chance is its share, so nobody is sure of when, and everybody runs in the end. The draw is
of ``self.random``, whose numbers follow from the seed of the configuration.

    sched: {fair: "schedulers/lottery.py:Lottery"}
"""

from kernel.sched.ext import SCX_DSQ_LOCAL, ExtScheduler

SLICE_NS = 5_000_000


class Lottery(ExtScheduler):
    def init(self):
        self.waiting = []

    def enqueue(self, p, enq_flags):
        if not self.waiting:
            self.kick_cpu(self.cpu)  # it may idle
        self.waiting.append(p)

    def dequeue(self, p, deq_flags):
        self.waiting.remove(p)

    def dispatch(self, cpu, prev):
        if not self.waiting:
            return
        draw = self.random(sum(p.weight for p in self.waiting))
        for p in self.waiting:
            draw -= p.weight
            if draw < 0:
                break
        self.waiting.remove(p)
        self.dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS)
