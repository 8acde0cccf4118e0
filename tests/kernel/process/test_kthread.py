"""Kernel threads: kthreadd, first wake-up, stop, park, binding, scheduling, in the whole machine.

A ``Lab`` is KernelState with its CPUs and no engine: the earliest event first. Its controller is a
kernel thread itself, a path that a test writes.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from kernel import messages as m
from kernel.check.at_rest import boot_counts, check_end
from kernel.check.invariants import check_kernel, check_machine
from kernel.cpu.cpu import Cpu
from kernel.events import SCHED_SWITCH
from kernel.machine import MachineSpec, ServiceSpec
from kernel.points import SCHEDULE
from kernel.proc.array import proc_pid_status
from kernel.process.kthread import (
    KTHREAD_IS_PER_CPU,
    Kthread,
    KthreadCreateInfo,
    cond_resched,
    kthread_bind,
    kthread_create,
    kthread_create_on_cpu,
    kthread_park,
    kthread_parkme,
    kthread_run,
    kthread_should_park,
    kthread_should_stop,
    kthread_stop,
    kthread_unpark,
    to_kthread,
)
from kernel.process.pid import PIDTYPE_TGID
from kernel.process.tasklist import for_each_process
from kernel.signal.send import do_send_sig_info
from kernel.smp.completion import Completion, complete, wait_for_completion
from kernel.smp.ttwu import set_current_state, wake_up_process
from kernel.state import KernelState
from kernel.task import (
    PF_KTHREAD,
    PF_NO_SETAFFINITY,
    TASK_INTERRUPTIBLE,
    TASK_PARKED,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    task_state_letter,
)
from kernel.uapi.errno_ import EAGAIN, EBUSY, EINTR
from kernel.uapi.signals import SIGKILL, SIGSTOP, SIGTERM

STEP_NS = 1_000_000


class NoLoader:
    def start(self, image: str, argv: Any, env: Any, start: int = 0) -> Any:
        raise AssertionError("a lab runs no programs")

    def unpack(self, data: Any) -> Any:
        raise AssertionError


class Lab:
    def __init__(self, **spec: Any) -> None:
        spec = {"cpus": 2, "check": True, **spec}
        self.spec = MachineSpec(**spec)
        self.k = KernelState(self.spec, NoLoader())  # type: ignore[arg-type]
        self.cpus = [Cpu(cpu, self.spec, NoLoader()) for cpu in range(spec["cpus"])]  # type: ignore[arg-type]
        self.boot = boot_counts(self.k)
        self.next = [m.NEVER] * len(self.cpus)
        self.results: list[Any] = []
        self.now_ns = 0

    def run(self, until_ns: int) -> None:
        """Let everything happen that is due at or before ``until_ns``, earliest first."""
        k = self.k
        self._route()
        while True:
            kernel_ns, cpu_ns = k.next_ns(), min(self.next)
            if min(kernel_ns, cpu_ns) > until_ns:
                break
            if kernel_ns <= cpu_ns:
                k.run(kernel_ns)
                if not k.stepwise:
                    assert check_kernel(k) == []
            else:
                cpu = self.next.index(cpu_ns)
                self.next[cpu] = self.cpus[cpu].step(cpu_ns + 1, ())
            self._route()
        self.now_ns = until_ns
        assert check_kernel(k) == []

    def _route(self) -> None:
        busy = True
        while busy:
            busy = False
            for dest, effects in self.k.take_effects().items():
                self.next[dest] = self.cpus[dest].step(-1, effects)
            for cpu in self.cpus:
                if cpu.out:
                    self.k.deliver(cpu.out)
                    cpu.out = []
                forwards, cpu.forwards = cpu.forwards, []
                for dest, message in forwards:
                    busy = True
                    self.next[dest] = self.cpus[dest].step(-1, (message,))

    def start(self, path: Any, name: str = "controller") -> Any:
        """Ask kthreadd for a thread that runs ``path(k)``, wake it, and return its task."""

        def main(k: KernelState, data: Any) -> Any:
            result = yield from path(k)
            self.results.append(result)
            return 0

        create = KthreadCreateInfo(main, None, name)
        k = self.k
        k.kthread_create_list.requests.append(create)
        while not create.result or create.result.on_rq:  # type: ignore[union-attr]
            k.arm_timer(k.kthreadd, self.now_ns + 1)
            self.run(self.now_ns + STEP_NS)
        task: Any = create.result
        k.arm_timer(task, self.now_ns + 1)
        return task

    def do(self, path: Any, for_ns: int = 50 * STEP_NS) -> Any:
        """Run ``path(k)`` in a controller to its end and return what it returned."""
        self.start(path)
        self.run(self.now_ns + for_ns)
        assert self.results, "the controller did not end"
        return self.results.pop()

    def end(self) -> None:
        """Nothing is left but what boot made."""
        self.run(self.now_ns + 50 * STEP_NS)
        assert check_end(self.k, self.boot) == []
        assert check_machine(self.k, self.cpus) == []
        assert self.k.nr_kthreads == 0


@pytest.fixture(params=["syscall", "step"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    one = Lab(granularity=request.param)
    yield one
    one.end()


def counting(k: KernelState, data: Any) -> Any:
    """Count wake-ups until told to stop: the loop that a kernel thread has."""
    while True:
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        if kthread_should_stop(k):
            break
        if kthread_should_park(k):
            yield from set_current_state(k, TASK_RUNNING)
            yield from kthread_parkme(k)
            data.append("unparked")
            continue
        yield "counting.schedule", SCHEDULE, None
        data.append(k.cpu)
    yield from set_current_state(k, TASK_RUNNING)
    return 40 + len(data)


def nap(k: KernelState, ns: int = 1_000_000) -> Any:
    """Sleep in the current task, so that others run."""
    yield from set_current_state(k, TASK_INTERRUPTIBLE)
    k.arm_timer(k.current, k.now_ns + ns)
    yield "nap.schedule", SCHEDULE, None


def test_new_thread_sleeps_uninterruptibly_until_its_first_wake_up(lab: Lab) -> None:
    ran: list[Any] = []

    def controller(k: KernelState) -> Any:
        task = yield from kthread_create(k, counting, ran, "sleeper")
        before = (task.state, task.on_rq, task.comm, task.exit_signal)
        yield from wake_up_process(k, task)
        yield from nap(k)
        result = yield from kthread_stop(k, task)
        return before, result

    before, result = lab.do(controller)
    assert before == (TASK_UNINTERRUPTIBLE, False, "sleeper", 17)
    assert result == 41


def test_kthreadd_is_the_parent_and_lends_files_but_no_memory(lab: Lab) -> None:
    def controller(k: KernelState) -> Any:
        task = yield from kthread_run(k, counting, [], "child")
        family = (task.real_parent is k.kthreadd, task.files is k.kthreadd.files, task.mm)
        flags = task.flags & PF_KTHREAD
        yield from kthread_stop(k, task)
        return family, flags, task.exit_state

    family, flags, _ = lab.do(controller)
    assert family == (True, True, None)
    assert flags == PF_KTHREAD


def test_thread_stopped_before_it_ran_at_all_never_calls_its_function(lab: Lab) -> None:
    def controller(k: KernelState) -> Any:
        task = yield from kthread_create_on_cpu(k, counting, [], k.cpu, "late")
        yield from wake_up_process(k, task)  # it queues behind us
        result = yield from kthread_stop(k, task)
        return result

    assert lab.do(controller) == -EINTR


def test_stop_returns_what_the_function_returned_and_nobody_reaps(lab: Lab) -> None:
    def answer(k: KernelState, data: Any) -> Any:
        while not kthread_should_stop(k):
            yield from set_current_state(k, TASK_INTERRUPTIBLE)
            if not kthread_should_stop(k):
                yield "answer.schedule", SCHEDULE, None
        yield from set_current_state(k, TASK_RUNNING)
        return 4711

    def controller(k: KernelState) -> Any:
        task = yield from kthread_run(k, answer, None, "answer")
        yield from nap(k)
        result = yield from kthread_stop(k, task)
        return result

    assert lab.do(controller) == 4711
    assert lab.k.kthreadd.children == {}


def test_thread_stopped_before_its_first_wake_up_never_runs_its_function(lab: Lab) -> None:
    ran: list[Any] = []

    def controller(k: KernelState) -> Any:
        task = yield from kthread_create(k, counting, ran, "unborn")
        result = yield from kthread_stop(k, task)
        return result

    assert lab.do(controller) == -EINTR
    assert ran == []


def test_long_name_is_cut_for_the_task_only(lab: Lab) -> None:
    def controller(k: KernelState) -> Any:
        task = yield from kthread_create(k, counting, [], "a-name-of-more-than-15-bytes")
        names = task.comm, to_kthread(task).full_name
        yield from kthread_stop(k, task)
        return names

    assert lab.do(controller) == ("a-name-of-more-", "a-name-of-more-than-15-bytes")


def test_bound_thread_runs_on_its_cpu_whoever_wakes_it(lab: Lab) -> None:
    ran: list[Any] = []

    def controller(k: KernelState) -> Any:
        task = yield from kthread_create(k, counting, ran, "bound")
        yield from kthread_bind(k, task, 1)
        bound = task.flags & PF_NO_SETAFFINITY
        yield from wake_up_process(k, task)
        for _ in range(5):
            yield from nap(k, 100_000)
            yield from wake_up_process(k, task)
        yield from kthread_stop(k, task)
        return bound

    assert lab.do(controller) == PF_NO_SETAFFINITY
    assert ran and set(ran) == {1}


def test_parked_thread_shows_p_and_ignores_wake_ups(lab: Lab) -> None:
    ran: list[Any] = []

    def controller(k: KernelState) -> Any:
        task = yield from kthread_create_on_cpu(k, counting, ran, 1, "percpu/1")
        yield from wake_up_process(k, task)
        yield from nap(k)
        first = yield from kthread_park(k, task)
        again = yield from kthread_park(k, task)
        parked = task.state, task.on_rq, task_state_letter(task)
        woken = yield from wake_up_process(k, task)
        still = task.state
        yield from kthread_unpark(k, task)
        yield from nap(k)
        after = list(ran)
        yield from kthread_stop(k, task)
        return first, again, parked, woken, still, after

    first, again, parked, woken, still, after = lab.do(controller)
    assert (first, again) == (0, -EBUSY)
    assert parked == (TASK_PARKED, False, "P")
    assert (woken, still) == (False, TASK_PARKED)
    assert "unparked" in after


def test_stopping_a_parked_thread_unparks_it(lab: Lab) -> None:
    def controller(k: KernelState) -> Any:
        task = yield from kthread_create_on_cpu(k, counting, [], 0, "percpu/0")
        assert to_kthread(task).flags & KTHREAD_IS_PER_CPU
        yield from wake_up_process(k, task)
        yield from nap(k)
        yield from kthread_park(k, task)
        result = yield from kthread_stop(k, task)
        return result

    assert lab.do(controller) >= 41


def test_thread_parked_before_its_first_wake_up_parks_before_its_function(lab: Lab) -> None:
    ran: list[Any] = []

    def controller(k: KernelState) -> Any:
        task = yield from kthread_create_on_cpu(k, counting, ran, 0, "percpu/0")
        yield from kthread_park(k, task)
        nothing = list(ran)
        yield from kthread_unpark(k, task)
        yield from kthread_stop(k, task)
        return nothing

    assert lab.do(controller) == []


def test_signals_from_everywhere_are_ignored(lab: Lab) -> None:
    def controller(k: KernelState) -> Any:
        task = yield from kthread_run(k, counting, [], "deaf")
        yield from nap(k)
        for sig in (SIGKILL, SIGSTOP, SIGTERM):
            yield from do_send_sig_info(k, sig, (sig, 0, 1, 0, 0), task, PIDTYPE_TGID)
            yield from do_send_sig_info(k, sig, (sig, 0, 1, 0, 0), k.kthreadd, PIDTYPE_TGID)
        quiet = task.sigpending, task.pending, task.signal.shared_pending, k.kthreadd.sigpending
        result = yield from kthread_stop(k, task)
        return quiet, result

    quiet, result = lab.do(controller)
    assert quiet == (False, (), (), False)
    assert result >= 40


def test_many_requests_are_served_in_order(lab: Lab) -> None:
    order: list[int] = []

    def note(k: KernelState, data: Any) -> Any:
        order.append(data)
        return 0
        yield

    def controller(k: KernelState) -> Any:
        tasks = []
        for number in range(5):
            task = yield from kthread_create(k, note, number, f"note/{number}")
            tasks.append(task)
        for task in tasks:
            yield from kthread_bind(k, task, 0)
        for task in tasks:
            yield from wake_up_process(k, task)
        return len(tasks)

    assert lab.do(controller) == 5
    assert sorted(order) == [0, 1, 2, 3, 4]


def test_two_busy_threads_on_one_cpu_share_it() -> None:
    lab = Lab(cpus=1)
    lab.spec.trace = True
    used: dict[str, int] = {}

    def busy(k: KernelState, data: Any) -> Any:
        for _ in range(400):
            k.now_ns += 50_000
            yield from cond_resched(k)
        used[data] = k.now_ns
        return 0

    def controller(k: KernelState) -> Any:
        for name in ("first", "second"):
            yield from kthread_run(k, busy, name, name)
        return None

    lab.do(controller, 60 * STEP_NS)
    switches = [row for row in lab.cpus[0].trace if row[1] == SCHED_SWITCH]
    between = [row for row in switches if {row[2], row[6]} == {"first", "second"}]
    assert len(between) >= 2  # preempted by the tick, not only when they end
    assert abs(used["first"] - used["second"]) < 20_000_000
    lab.end()


def test_fork_failure_reaches_the_creator() -> None:
    lab = Lab(threads_max=20)
    lab.k.tasks.max_threads = 4  # swapper does not count: init, kthreadd, the controller, one more

    def controller(k: KernelState) -> Any:
        task = yield from kthread_create(k, counting, [], "last")
        errno = 0
        try:
            yield from kthread_create(k, counting, [], "too many")
        except Exception as failed:
            errno = failed.errno  # type: ignore[attr-defined]
        yield from kthread_stop(k, task)
        return errno

    assert lab.do(controller) == EAGAIN
    lab.end()


@pytest.mark.parametrize("linux", ["6.12", "2.6.34"])
def test_boot_threads_are_there_one_of_a_kind_per_cpu_and_can_be_parked(linux: str) -> None:
    lab = Lab(kthreads=True, cpus=3, linux=linux)
    k = lab.k
    names = [task.comm for task in for_each_process(k) if task.real_parent is k.kthreadd]
    kinds = ["cpuhp"] * (linux == "6.12") + ["migration", "ksoftirqd"]
    assert names == [f"{kind}/{cpu}" for cpu in range(3) for kind in kinds]
    assert lab.boot["tasks"] == 2 + len(names)
    threads = list(k.kthreadd.children.values())

    def controller(k: KernelState) -> Any:
        for task in threads:
            yield from kthread_park(k, task)
        letters = {task_state_letter(task) for task in threads}
        for task in threads:
            yield from kthread_unpark(k, task)
        return letters

    assert lab.do(controller) == {"P"}
    lab.run(lab.now_ns + STEP_NS)
    assert {task.state for task in threads} == {TASK_INTERRUPTIBLE}
    assert [task.cpu for task in threads] == [cpu for cpu in range(3) for _ in kinds]
    lab.end()


def test_machine_without_kernel_threads_boots_with_init_and_kthreadd() -> None:
    lab = Lab()
    assert [task.comm for task in for_each_process(lab.k)] == ["init", "kthreadd"]
    assert isinstance(lab.k.kthreadd.kthread, Kthread | None)
    lab.end()


@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_services_work_every_period_and_are_idle_in_between(granularity: str) -> None:
    services = (ServiceSpec("kdemo", 2_000_000, 300_000, True), ServiceSpec("kbeat", 5_000_000, 0))
    lab = Lab(services=services, granularity=granularity)
    lab.run(21_000_000)
    tasks = {task.comm: task for task in for_each_process(lab.k)}
    assert list(tasks) == ["init", "kthreadd", "kdemo/0", "kdemo/1", "kbeat"]
    for cpu in range(2):
        task = tasks[f"kdemo/{cpu}"]
        assert task.cpu == cpu
        assert 10 * 300_000 <= task.stime_ns < 10 * 400_000
        assert task_state_letter(task) == "I"
    assert lab.k.boot_kthreads == 1
    assert lab.k.nr_kthreads == 3
    assert check_end(lab.k, lab.boot) == []

    def controller(k: KernelState) -> Any:
        rounds = []
        for name in ("kdemo/0", "kdemo/1", "kbeat"):
            one = yield from kthread_stop(k, tasks[name])
            rounds.append(one)
        return rounds

    assert lab.do(controller, 10 * STEP_NS) == [10, 10, 4]
    lab.end()


def test_status_of_a_kernel_thread_says_so() -> None:
    lab = Lab(kthreads=True)
    lab.k.current = lab.k.child_reaper
    path = proc_pid_status(lab.k, lab.k.kthreadd)
    text = ""
    while True:
        try:
            next(path)
        except StopIteration as done:
            text = done.value
            break
    assert "Kthread:\t1\n" in text
    assert "VmRSS" not in text
    assert "SigIgn:\tffffffffffffffff\n" in text


@pytest.mark.parametrize("seed", range(15))
def test_parking_waking_and_stopping_in_any_order_lose_no_wake_up(seed: int) -> None:
    """Park and stop exclude each other, as in Linux; stray wake-ups may come at any time."""
    lab = Lab(cpus=3, granularity="step", tie_break="random", seed=seed)
    ran: list[Any] = []
    shared: list[Any] = []
    parked = Completion()

    def maker(k: KernelState) -> Any:
        for cpu in range(3):
            task = yield from kthread_create_on_cpu(k, counting, ran, cpu, f"percpu/{cpu}")
            yield from wake_up_process(k, task)
            shared.append(task)
        yield from wait_for_completion(k, parked)
        results = []
        for task in shared:
            result = yield from kthread_stop(k, task)
            results.append(result)
        return results

    def parker(k: KernelState) -> Any:
        answers = []
        for _ in range(10):
            yield from nap(k, 10_000)
            for task in tuple(shared):
                answer = yield from kthread_park(k, task)
                answers.append(answer)
                yield from kthread_unpark(k, task)
        yield from complete(k, parked)
        return answers

    def waker(k: KernelState) -> Any:
        for _ in range(30):
            yield from nap(k, 7_000)
            for task in tuple(shared):
                if task.signal is not None:
                    yield from wake_up_process(k, task)
        return None

    for path in (maker, parker, waker):
        lab.start(path, path.__name__)
    lab.run(lab.now_ns + 100 * STEP_NS)
    assert len(lab.results) == 3, "a controller sleeps for ever"
    assert len(shared) == 3
    assert all(task.signal is None for task in shared)  # released
    lab.end()
