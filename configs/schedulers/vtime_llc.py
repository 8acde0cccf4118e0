"""Fair shares by virtual time; a task wakes near its cache.

``select_cpu`` looks for an idle CPU in the spans of the topology, the innermost first: the CPU's
own core, then those with the same last-level cache, then the others. Each CPU runs the waiting task
with the least virtual time, which passes the slower the greater the task's weight is.

    sched: {fair: "schedulers/vtime_llc.py:VtimeLlc"}
"""

from kernel.sched.ext import ExtScheduler

SLICE_NS = 5_000_000
QUEUE = 1


class VtimeLlc(ExtScheduler):
    def init(self):
        self.create_dsq(QUEUE)
        self.vtime_now = 0

    def select_cpu(self, p, prev_cpu, wake_flags):
        idle = sum(1 << cpu for cpu in range(self.nr_cpus) if p.allowed(cpu)) & self.idle_cpus()
        if idle >> prev_cpu & 1:
            return prev_cpu
        for span in self.spans(prev_cpu):
            if idle & span:
                near = idle & span
                return (near & -near).bit_length() - 1
        return self.select_cpu_dfl(p, prev_cpu, wake_flags)

    def enqueue(self, p, enq_flags):
        # a sleeper gains one slice at most, and one from a CPU that is ahead loses no more
        vtime = max(p.dsq_vtime, self.vtime_now - SLICE_NS)
        vtime = min(vtime, self.vtime_now + SLICE_NS * 100 // p.weight)
        self.dsq_insert_vtime(p, QUEUE, SLICE_NS, vtime, enq_flags)

    def dispatch(self, cpu, prev):
        self.dsq_move_to_local(QUEUE)

    def running(self, p):
        self.vtime_now = max(self.vtime_now, p.dsq_vtime)
        p.put("began_ns", p.sum_exec_ns)

    def stopping(self, p, runnable):
        p.dsq_vtime += (p.sum_exec_ns - p.get("began_ns")) * 100 // p.weight

    def enable(self, p):
        p.dsq_vtime = self.vtime_now
