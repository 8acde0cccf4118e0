"""Records of a schedule, made by hand."""

from typing import Any

from cluster.trace import TraceRecord

S, R, DEAD = 1, 0x100, 0x80
IDLE = 0


class Made:
    """Makes records in the order of the calls; times are in us, task n is called ``t<n>``."""

    def __init__(self) -> None:
        self.records: list[TraceRecord] = []

    def _add(self, time_us: int, cpu: int, event: str, **fields: Any) -> None:
        seq = len(self.records)
        self.records.append(TraceRecord(time_us * 1000, cpu, seq, cpu, event, fields))

    def wake(self, time_us: int, pid: int, cpu: int = 0, prio: int = 120) -> None:
        fields = {"comm": f"t{pid}", "pid": pid, "prio": prio, "target_cpu": cpu}
        self._add(time_us, cpu, "sched_wakeup", **fields)

    def waking(self, time_us: int, pid: int, cpu: int, target: int) -> None:
        fields = {"comm": f"t{pid}", "pid": pid, "prio": 120, "target_cpu": target}
        self._add(time_us, cpu, "sched_waking", **fields)

    def move(self, time_us: int, pid: int, orig: int, dest: int) -> None:
        fields = {"comm": f"t{pid}", "pid": pid, "prio": 120, "orig_cpu": orig, "dest_cpu": dest}
        self._add(time_us, orig, "sched_migrate_task", **fields)

    def switch(
        self,
        time_us: int,
        prev: int,
        following: int,
        state: int = S,
        cpu: int = 0,
        prio: int = 120,
        prev_prio: int = 120,
    ) -> None:
        self._add(
            time_us,
            cpu,
            "sched_switch",
            prev_comm=f"t{prev}" if prev else f"swapper/{cpu}",
            prev_pid=prev,
            prev_prio=prev_prio,
            prev_state=state if prev else 0,
            next_comm=f"t{following}" if following else f"swapper/{cpu}",
            next_pid=following,
            next_prio=prio,
        )

    def fork(self, time_us: int, pid: int, child: int) -> None:
        names = {"parent_comm": f"t{pid}", "child_comm": f"t{child}"}
        self._add(time_us, 0, "sched_process_fork", parent_pid=pid, child_pid=child, **names)

    def change(self, time_us: int, pid: int, field: str, value: int | str) -> None:
        self._add(time_us, 0, "task_change", pid=pid, field=field, value=value)
