"""Reads what ``strace -f -ttt [-T] [-y] [-o FILE]`` has written.

**Time.** Between the end of a call and the start of the next one a task computes. Calls that
return at once are computing time, too: the processor was in the kernel. A call that may block
(``_BLOCKS``) and took 100 us or more is a sleep of that length. strace stops a task twice a call;
the least piece of computing time and the least call of a recording are taken as what that costs,
and are subtracted from each. What a task had to wait for a processor cannot be told from
computing: strace knows nothing of it.

**Who waits for whom.** Certain, and kept: a wait and the end of the child it returned; a vfork
and its child; a futex or (with -y, which names pipes) a read of a pipe that slept until exactly
one other task's wake or write of the same word or pipe; a signal that ended its target. Other
blocked calls are sleeps of the recorded length.

**Ends.** An exit of a process, and a signal that ends one, wait until each thread that it cuts has
done all it did before that changes the tree of processes; and until threads that had ended before
have ended.

A child may be seen before the call that made it has returned: it belongs to nobody until then. A
pid that is seen again after its end is another task.
"""

import re
from typing import BinaryIO, Final

from workloads.recordings.ends import Kill, finish_ends
from workloads.recordings.lines import WrongLines, numbered
from workloads.recordings.model import Problem, Recording, RecordingError, Step, Task
from workloads.recordings.strace_lines import ATTACHED_WITHIN, Line, parse_line

_BLOCKED_NS: Final = 100_000
_SHOWN: Final = 20
_FORKS: Final = frozenset(("fork", "vfork", "clone", "clone2", "clone3"))
_WAITS: Final = frozenset(("wait4", "waitid", "waitpid"))
_SLEEPS: Final = frozenset(("nanosleep", "clock_nanosleep", "pause", "rt_sigsuspend"))
_READS: Final = frozenset(("read", "readv"))
_WRITES: Final = frozenset(("write", "writev"))
_BLOCKS: Final = frozenset(
    (
        *("poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2"),
        *("futex", "recvfrom", "recvmsg", "recvmmsg", "accept", "accept4", "connect", "sendto"),
        *("sendmsg", "rt_sigtimedwait", "flock", "fcntl", "semop", "semtimedop", "msgrcv"),
        *("msgsnd", "mq_timedreceive", "mq_timedsend", "io_getevents", "io_uring_enter"),
        *("fsync", "fdatasync", "sync", *_WAITS, *_READS, *_WRITES),
    )
)
_KILLS: Final = frozenset(("kill", "tkill", "tgkill", "rt_sigqueueinfo"))
_ENDS: Final = frozenset(("exit", "exit_group", "execve", "execveat"))
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_FLAGS: Final = re.compile(r"flags=([A-Za-z0-9_|]+)")
_EXIT_SIGNAL: Final = re.compile(r"exit_signal=(SIG[A-Z0-9]+|0)")
_PIPE: Final = re.compile(r"\d+<(pipe:\[\d+\])>")
_FILE: Final = re.compile(r"\d+</(?!dev/)")
_SI_PID: Final = re.compile(r"si_pid=(\d{1,10})")
_CPUS: Final = re.compile(r"(-?\d+), \d+, \[([0-9 ,]*)\]$")
_PRIORITY: Final = re.compile(r"PRIO_PROCESS, (\d+), (-?\d+)$")
_POLICY: Final = re.compile(r"(\d+), SCHED_(OTHER|FIFO|RR|BATCH|IDLE)(?:\|[A-Z_]+)?, \[(\d+)\]$")
_HARMLESS: Final = frozenset(("CLONE_CHILD_CLEARTID", "CLONE_CHILD_SETTID", "CLONE_PARENT_SETTID"))
_THREAD: Final = _HARMLESS.union(
    ("CLONE_VM", "CLONE_FS", "CLONE_FILES", "CLONE_SIGHAND", "CLONE_THREAD", "CLONE_SYSVSEM"),
    ("CLONE_SETTLS", "CLONE_DETACHED"),
)


class _Open:
    """A call that has not returned.

    Attributes:
        wakes: tasks that may have ended its wait, with a step to which the edge can be tied.
    """

    __slots__ = ("args", "key", "kill", "name", "since_ns", "wakes")

    def __init__(self, name: str, args: str, since_ns: int) -> None:
        self.name, self.args, self.since_ns = name, args, since_ns
        self.key: tuple[object, ...] | None = None
        self.wakes: list[Task] = []
        self.kill: Step | None = None


class _State:
    """What is known of a running task beside its steps."""

    __slots__ = ("busy_since_ns", "exiting", "open", "seen", "stopped", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.seen = False  # a line was about it
        self.busy_since_ns = task.first_ns
        self.open: _Open | None = None
        self.exiting: tuple[str, int] | None = None
        self.stopped = False


def read(source: BinaryIO, name: str) -> Recording:
    """Return the recording in ``source``, read once from its start.

    Args:
        name: of the file, for messages.

    Raises:
        RecordingError: it cannot be used, with a line for each problem.
    """
    reader = _Reader(Recording(name))
    wrong = WrongLines()
    begun = ""
    for number, text, whole in numbered(source, name):
        text, begun = begun + text, ""
        within = ATTACHED_WITHIN.search(text)
        if within is not None and within.start():
            begun = text[: within.start()]
            continue
        line = parse_line(text)
        if isinstance(line, tuple):
            if not whole:
                reader.recording.notes.append("the last line is cut; it was left out")
                continue
            column, what = line
            wrong.add(number, column, what)
            continue
        if not wrong.count:
            problem = reader.take(line)
            if problem:
                raise RecordingError(name, Problem(problem, number, 1))
    wrong.refuse(name, "what a program prints comes between strace's lines: record with -o FILE")
    if not reader.recording.tasks:
        raise RecordingError(name, Problem("holds no call of any process"))
    return reader.end()


class _Reader:
    """Takes lines; keeps what runs."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._running: dict[int, _State] = {}  # by pid
        self._lost: dict[int, Task] = {}  # seen before the call that made them has returned
        self._ended_lost: dict[int, Task] = {}
        self._kills: list[Kill] = []
        self._least = [0, 0]  # piece of computing time, call
        self._backwards = 0
        self._last_ns = 0
        self._gone: set[Task] = set()

    def take(self, line: Line) -> str:
        """Take a line; return why it cannot be carried over, or nothing."""
        if line.kind in ("remark", "attached"):
            return ""
        self._note_time(line)
        state = self._state(line)
        if state is None:
            return "a line without a pid, while several tasks run: record with -f"
        if line.kind == "superseded":
            return "an exec by a thread that is not the first of its process is not carried over"
        if line.kind in ("exited", "killed"):
            self._ended(state, line)
        elif line.kind in ("signal", "stopped"):
            if state.open is None and line.at_ns > state.busy_since_ns:
                self._pass(state, line.at_ns)
            state.stopped = line.kind == "stopped"
        elif line.kind == "begin":
            self._begin(state, line)
        elif line.kind == "end":
            if state.open is None:  # recording began within the call
                state.open = _Open(line.name, "", state.busy_since_ns)
            state.open.args += line.args
            return self._return(state, line)
        else:
            self._begin(state, line)
            return self._return(state, line)
        return ""

    def _note_time(self, line: Line) -> None:
        recording = self.recording
        if not recording.tasks:
            recording.begin_ns = line.at_ns
        self._backwards += line.at_ns < self._last_ns
        self._last_ns = line.at_ns
        recording.end_ns = max(recording.end_ns, line.at_ns)

    def _state(self, line: Line) -> _State | None:
        """Return who the line is about; a pid that is new makes a task that nobody has made yet."""
        pid = line.pid
        if pid is None:
            if not self.recording.tasks:
                pid = 0
            else:  # strace leaves it out while it follows one task only
                seen = [state for state in self._running.values() if state.seen]
                return seen[0] if len(seen) == 1 else self._running.get(0)
        state = self._running.get(pid)
        if state is None and 0 in self._running and pid and self._is_bare(pid):
            state = self._running[pid] = self._running.pop(0)
            state.task.pid = pid
        if state is None:
            task = self.recording.task(pid, line.at_ns)
            state = self._running[pid] = _State(task)
            self._lost[pid] = task
        state.seen = True
        return state

    def _is_bare(self, pid: int) -> bool:
        """Tell whether ``pid`` is the first task's, whose lines had none while it was alone.

        It is, unless a child is being made: then it is the child's.
        """
        first = self._running[0].open
        return first is None or first.name not in _FORKS

    def _begin(self, state: _State, line: Line) -> None:
        self._pass(state, line.at_ns)
        state.open = now = _Open(line.name, line.args, line.at_ns)
        if line.name in ("exit", "exit_group"):
            code = re.match(r"-?\d{1,10}", line.args)
            state.exiting = line.name, int(code[0]) & 255 if code else 0
        elif line.name in _KILLS:
            now.kill = self._kill(state, line.args)
        now.key = self._key(state.task, now)

    def _pass(self, state: _State, until_ns: int) -> None:
        """What lies between the last call and this one is computing time, or that of a stop."""
        gap = max(0, until_ns - state.busy_since_ns)
        if state.stopped:
            state.stopped = False
            self.recording.step(state.task, "sleep", gap)
        else:
            self._shortest(0, gap)
            self.recording.compute(state.task, gap, int(gap > 0), 0)
        state.busy_since_ns = max(until_ns, state.busy_since_ns)

    def _shortest(self, which: int, ns: int) -> None:
        if ns > 0 and (not self._least[which] or ns < self._least[which]):
            self._least[which] = ns

    def _return(self, state: _State, line: Line) -> str:
        """A call has ended."""
        now = state.open
        assert now is not None
        if now.name != line.name and "?" not in (now.name[0], line.name[0]):
            return f"{line.name} returns, but {now.name} is what the task was in"
        state.open = None
        if line.kind == "call":
            took = line.took_ns or 0
        else:
            took = max(0, line.at_ns - now.since_ns)
        state.busy_since_ns = now.since_ns + took
        ok = line.result is not None and line.result >= 0
        if now.name in _FORKS and ok and line.result:
            self._forked(state, now, line.result)
        elif now.name in ("execve", "execveat") and line.result == 0:
            self._exec(state, now)
        elif now.name in _WAITS and ok and self._waited(state, now, line.result or 0):
            pass
        elif now.name in _SLEEPS:
            self.recording.step(state.task, "sleep", took)
        elif now.kill is not None:
            if not ok:
                now.kill[2] = None
        elif now.name not in _ENDS:
            self._other(state, now, line.result, took)
        return ""

    def _other(self, state: _State, now: _Open, result: int | None, took: int) -> None:
        """A call that changes nothing in the tree of processes."""
        task, recording = state.task, self.recording
        if self._wakes(now, result):
            self._wake(task, now)
        if self._may_block(now) and took >= _BLOCKED_NS:
            if now.key is not None and (result == 0) == (now.name == "futex"):
                wakers = now.wakes + self._waking_now(task, now)
                if len(wakers) == 1:
                    edge = recording.edge()
                    recording.step(wakers[0], "tell", edge)
                    recording.step(task, "told", edge)
                    return
            recording.step(task, "sleep", took)
            return
        text = self._carried(task, now) if result == 0 else ""
        if text:
            recording.step(task, "call", text)
            return
        recording.left_out[now.name] += 1
        self._shortest(1, took)
        recording.compute(task, took, 0, int(took > 0))

    @staticmethod
    def _may_block(now: _Open) -> bool:
        if now.name == "futex":
            return "FUTEX_WAIT" in now.args or "FUTEX_LOCK" in now.args
        if now.name == "fcntl":
            return "SETLKW" in now.args
        if now.name in _READS or now.name in _WRITES:
            return _FILE.match(now.args) is None
        return now.name in _BLOCKS

    @staticmethod
    def _key(task: Task, now: _Open) -> tuple[object, ...] | None:
        """Return what the call waits for, or wakes others of."""
        if now.name == "futex":
            address = now.args.split(",", 1)[0]
            if "FUTEX_WAIT" in now.args or "FUTEX_WAKE" in now.args:
                return ("futex", task.leader, address)
        elif now.name in _READS or now.name in _WRITES:
            pipe = _PIPE.match(now.args)
            if pipe is not None:
                return ("pipe", pipe[1])
        return None

    @staticmethod
    def _wakes(now: _Open, result: int | None) -> bool:
        return bool(result and result > 0 and now.key) and (
            now.name in _WRITES or (now.name == "futex" and "FUTEX_WAKE" in now.args)
        )

    def _wake(self, task: Task, now: _Open) -> None:
        for other in self._running.values():
            if other.open is not None and other.open.key == now.key and other.task is not task:
                other.open.wakes.append(task)

    def _waking_now(self, task: Task, now: _Open) -> list[Task]:
        """Return who is in a call that wakes others of what ``now`` waited for."""
        return [
            other.task
            for other in self._running.values()
            if other.open is not None
            and other.task is not task
            and other.open.key == now.key
            and (other.open.name in _WRITES or "FUTEX_WAKE" in other.open.args)
        ]

    def _carried(self, task: Task, now: _Open) -> str:
        """Return the call in the guest language, if it is one that has a form there."""
        name, args = now.name, now.args
        if name == "sched_yield":
            return "os.sched_yield()"
        if name == "setsid":
            return "os.setsid()"
        if name == "setpgid" and args in ("0, 0", f"0, {task.pid}", f"{task.pid}, 0"):
            return "os.setpgid(0, 0)"
        if name == "sched_setaffinity" and (found := _CPUS.match(args)):
            cpus = [int(cpu) for cpu in found[2].replace(",", " ").split() if len(cpu) < 5]
            if int(found[1][:10]) in (0, task.pid) and cpus and max(cpus) < 4096:
                self.recording.cpus = max(self.recording.cpus, max(cpus) + 1)
                return f"os.sched_setaffinity(0, {sorted(set(cpus))})"
        if name == "setpriority" and (found := _PRIORITY.match(args)):
            nice = int(found[2][:4])
            if int(found[1][:10]) in (0, task.pid) and -20 <= nice < 20:
                return f"os.setpriority(os.PRIO_PROCESS, 0, {nice})"
        if name == "sched_setscheduler" and (found := _POLICY.match(args)):
            pid, policy, priority = int(found[1][:10]), found[2], int(found[3][:3])
            if pid in (0, task.pid) and priority < 100:
                return f"os.sched_setscheduler(0, os.SCHED_{policy}, os.sched_param({priority}))"
        return ""

    def _forked(self, state: _State, now: _Open, pid: int) -> None:
        """A call that makes a task has returned the child's pid."""
        task, recording = state.task, self.recording
        child = self._lost.pop(pid, None) or self._ended_lost.pop(pid, None)
        if child is None or child is task:
            child = recording.task(pid, now.since_ns)
            self._running[pid] = _State(child)
        child.parent = task
        child.comm = task.comm
        found = _FLAGS.search(now.args)
        flags = set(found[1].split("|")) if found else set()
        signal = _EXIT_SIGNAL.search(now.args)
        signals = {flag for flag in flags if flag.startswith("SIG")} | {signal[1] if signal else ""}
        if "CLONE_THREAD" in flags:
            child.how = "thread"
            child.leader = task.leader
            odd = flags - _THREAD
        elif "CLONE_VFORK" in flags or now.name == "vfork":
            child.how = "vfork"
            odd = flags - _HARMLESS - signals - {"CLONE_VM", "CLONE_VFORK"}
        else:
            odd = flags - _HARMLESS - signals
        if child.how != "thread" and signals - {"", "SIGCHLD"}:
            odd.add("another exit signal than SIGCHLD")
        for flag in sorted(odd):
            recording.left_out[f"{now.name} with {flag}"] += 1
        recording.step(task, "fork", child)

    def _exec(self, state: _State, now: _Open) -> None:
        path = _STRING.search(now.args)
        name = path[1].rsplit("/", 1)[-1] if path else "unnamed"
        name = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "._+-"))[:15]
        state.task.comm = name or "unnamed"
        self.recording.step(state.task, "exec", state.task.comm)

    def _waited(self, state: _State, now: _Open, result: int) -> bool:
        """A wait has returned; tell whether it has reaped a child."""
        if "WIFSTOPPED" in now.args or "WIFCONTINUED" in now.args or "WNOWAIT" in now.args:
            return False
        pid = result
        if now.name == "waitid":
            found = _SI_PID.search(now.args)
            pid = int(found[1]) if found else 0
        group = state.task.leader
        for child in reversed(self.recording.tasks) if pid else ():
            if child.pid != pid or child.parent is None or child.parent.leader is not group:
                continue
            if child.ended is not None and child not in self._gone:
                self._gone.add(child)
                self.recording.step(state.task, "wait", child)
                return True
        return False

    def _kill(self, state: _State, args: str) -> Step | None:
        """A signal is sent. It is carried over if it turns out that it ended its target."""
        parts = [part.strip() for part in args.split(",")]
        signals = [part for part in parts if part.startswith("SIG")]
        if not signals or not re.fullmatch(r"-?\d{1,10}", parts[0]):
            return None
        step = self.recording.step(state.task, "kill", signals[0], [])
        self._kills.append(Kill(step, int(parts[0]), signals[0], state.task))
        return step

    def _ended(self, state: _State, line: Line) -> None:
        task = state.task
        if state.open is None and line.at_ns > state.busy_since_ns:
            self._pass(state, line.at_ns)
        elif state.open is not None and state.open.name not in _ENDS:
            took = max(0, line.at_ns - state.open.since_ns)
            if self._may_block(state.open) or state.open.name in _SLEEPS:
                self.recording.step(task, "sleep", took)
            else:
                self.recording.compute(task, took, 0, int(took > 0))
        task.end_ns = line.at_ns
        if line.kind == "killed":
            task.ended = ("signal", line.name)
        elif state.exiting is None:
            task.ended = ("cut",)
        elif state.exiting[0] == "exit" and task is not task.leader:
            task.ended = ("exit_thread", state.exiting[1])
        else:
            task.ended = ("exit", line.code)
        self._running.pop(task.pid, None)
        if self._lost.pop(task.pid, None) is not None:
            self._ended_lost[task.pid] = task

    def end(self) -> Recording:
        """Return the whole recording."""
        recording = self.recording
        recording.overhead = (self._least[0], self._least[1])
        still = [state.task for state in self._running.values()]
        for task in still:
            task.end_ns = recording.end_ns
            task.ended = ("exit", 0) if task is task.leader else ("cut",)
        if still:
            recording.notes.append(
                f"{len(still):,} tasks had not ended when the recording did: they exit with 0"
            )
        unseen = [t for t in still if not t.steps and t.parent is not None]
        if unseen:
            pids = ", ".join(str(task.pid) for task in unseen[:_SHOWN])
            recording.notes.append(f"nothing is there of what these children did: {pids}")
        if self._backwards:
            recording.notes.append(f"the clock went back {self._backwards:,} times")
        strays = recording.roots()[1:]
        if strays:
            pids = ", ".join(str(task.pid) for task in strays[:_SHOWN])
            recording.notes.append(
                f"nobody recorded made these tasks; they begin by themselves: {pids}"
            )
        finish_ends(recording, self._kills)
        return recording
