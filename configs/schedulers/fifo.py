"""A central FIFO: whoever has waited longest runs for one slice.

The queue is SCX_DSQ_GLOBAL: each CPU takes from its own part, and from another's when it idles.

    sched: {fair: "schedulers/fifo.py:Fifo"}
"""

from kernel.sched.ext import SCX_DSQ_GLOBAL, ExtScheduler

SLICE_NS = 5_000_000


class Fifo(ExtScheduler):
    def enqueue(self, p, enq_flags):
        self.dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_NS, enq_flags)
