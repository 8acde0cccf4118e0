"""A guest thread at run time: ``kernel.user.UserContext``.

A context is data only: a stack of frames and the globals of its address space (see ``frames``). It
runs blocks until one has an op for the kernel, unwinds, calls signal handlers, and forks.

Signals follow CPython. The handler in C only notes the signal (``trip``); the program's handler is
called by the main thread, as one more frame, when an op has come back or was interrupted. What was
interrupted is begun again afterwards (PEP 475), by a frame too: ``library.RETRY``.
"""

from typing import Any, Final

from kernel.uapi.failure import Error
from kernel.uapi.signals import OP_NOT_BEGUN, SIGKILL, SIGSETXID
from kernel.uapi.syscalls import NR_FATAL, NR_LOCK_RELEASE, NR_PREEMPT_POINT
from workloads.language import memory, tracebacks
from workloads.language.bounded import Work
from workloads.language.copying import fork
from workloads.language.errors import FatalRunError, OutOfMemoryError, StoppedRunError
from workloads.language.exception_values import make_exception
from workloads.language.frames import CALL, RERAISE, RETURN, VALUE, Frame, Op, Process, own_process
from workloads.language.packing import pack_contexts
from workloads.language.thread_record import STARTED_LOCK
from workloads.language.weights import UNIT_BYTES

FUEL: Final = 200  # blocks one resume() runs before it offers a place to be preempted
MAX_DEPTH: Final = 1000  # sys.getrecursionlimit()
_PREEMPT: Final[Op] = (NR_PREEMPT_POINT,)


class Context:
    """A guest thread. Implements ``kernel.user.UserContext``."""

    __slots__ = ("frames", "globals", "look_at", "made", "steps", "thread_index", "work")

    def __init__(
        self, work: Work, values: list[Any], frames: list[Frame], thread_index: int
    ) -> None:
        self.work = work
        self.globals = values
        self.frames = frames
        self.thread_index = thread_index
        self.steps = 0
        self.made = 0  # units charged since the process was weighed: see ``memory``
        self.look_at = work.memory // UNIT_BYTES

    def resume(self, value: Any, error: Error | None) -> Op:
        """Continue after the pending system call and run to the next one."""
        frames = self.frames
        G = self.globals
        work = self.work
        budget = work.budget
        work.turns = work.texts = 0
        work.left = budget
        work.frames = frames
        process = G[0]
        if process.current != self.thread_index:
            process.current = self.thread_index
            if not frames[-1].pc and frames[-1].code is process.program.thread_code:
                return self._begin(process.threads[self.thread_index][STARTED_LOCK])
        if process.attention:
            value, error = self._attend(process, value, error)
        steps = spent = 0
        if error is not None:
            steps, value, op = self._fail(error)
            if op is not None:
                self.steps = steps + work.turns
                return op
        fuel = FUEL
        frame = frames[-1]
        while True:
            try:
                while True:
                    steps += 1
                    left = work.left
                    if left != budget or steps == 1:
                        used = budget - left
                        spent += used
                        if spent > budget:  # dear blocks: few of them in one resume
                            fuel = 0
                        work.left = budget
                        texts = work.texts
                        if texts:
                            used -= texts - (texts >> 4)
                            work.texts = 0
                        self.made = made = self.made + used
                        if made >= self.look_at and self._grown_too_large():
                            raise MemoryError
                    result = frame.blocks[frame.pc](frame, frame.locals, G, value)
                    if type(result) is int:
                        frame.pc = result
                        value = None
                        if steps >= fuel:
                            return self._preempt(steps)
                        continue
                    kind = result[0]
                    if kind >= 0:
                        if G[5] and (files := process.program.dropped(G[5])):
                            frame = Frame(process.program.drop_code, 0, [files, 0, result, None])
                            frames.append(frame)
                            value = files = None
                            continue
                        self.steps = steps + work.turns
                        self.made += self.steps + budget - work.left
                        return result  # type: ignore[no-any-return]
                    if kind == CALL:
                        if len(frames) > MAX_DEPTH:
                            raise RecursionError("maximum recursion depth exceeded")
                        frame = Frame(result[1], 0, result[2])
                        frames.append(frame)
                        value = None
                        if steps >= fuel:
                            return self._preempt(steps)
                    elif kind == RETURN:
                        frames.pop()
                        frame = frames[-1]
                        value = result[1]
                        if G[5]:
                            result = None
                            if files := process.program.dropped(G[5]):
                                frame = Frame(process.program.drop_code, 0, [files, 0, None, value])
                                frames.append(frame)
                                value = files = None
                    elif kind == VALUE:
                        value = result[1]
                    else:  # RERAISE
                        frame = self._raise(result[1], None)
                        value = frame.locals.pop()
            except FatalRunError as fatal:
                self.steps = steps + work.turns
                return (NR_FATAL, self._where(fatal, frame) + fatal.what)
            except StoppedRunError:
                raise
            except OutOfMemoryError:
                frame = Frame(process.program.raise_code, 0, [SIGKILL, None, 0])
                frames.append(frame)
                value = None
            except BaseException as exception:
                frame = self._caught(exception, frame)
                value = frame.locals.pop()
                # the host's own record would keep this context's frames alive
                exception.__traceback__ = None

    def _preempt(self, steps: int) -> Op:
        """Count what ``resume`` has done, ``steps`` blocks of it, and offer to be preempted."""
        work = self.work
        self.steps = steps = steps + work.turns
        self.made += steps + work.budget - work.left
        return _PREEMPT

    def _fail(self, error: Error) -> tuple[int, Any, Op | None]:
        """Raise what the pending system call failed with; return as ``_look_soon`` does."""
        frame = self.frames[-1]
        frame = self._raise(make_exception(error), frame.code.sites[frame.pc])
        value = frame.locals.pop()
        process = self.globals[0]
        if process.attention and self.thread_index == process.main:
            return self._look_soon(value)
        return 0, value, None

    def _caught(self, exception: BaseException, frame: Frame) -> Frame:
        """A block of ``frame`` has raised: return the frame that handles it, as ``_raise`` does."""
        site = tracebacks.site_of(exception, frame)
        if site is None and type(exception) is MemoryError and frame.code.index >= 0:
            site = tracebacks.start_of(frame)  # at a jump, which is no call
        return self._raise(exception, site)

    def _begin(self, started: int) -> Op:
        """Run a new thread up to its first op, then tell the one that waits for its start.

        Args:
            started: the number of the lock to give up; 0: nobody waits.
        """
        op = self.resume(None, None)
        if not started or op[0] == NR_FATAL:
            return op
        self.interrupt(op, OP_NOT_BEGUN, 0)
        return (NR_LOCK_RELEASE, started)

    def _look_soon(self, value: Any) -> tuple[int, Any, Op | None]:
        """Go on after an exception with signals noted, up to where CPython calls their handlers.

        It does not when it raises. It does at the end of the next call of C, when a function of
        Python begins, when a loop goes round, and when a value is turned into text.

        Returns:
            How many blocks were run; what the top frame waits for, or the op that came first.

        Source: CPython Python/ceval.c (CHECK_EVAL_BREAKER), Objects/object.c:PyObject_Str().
        Deviation: a str in an f-string counts as turned into text, too; so does a call that raises.
        """
        frames, G = self.frames, self.globals
        program = G[0].program
        steps = 0
        while True:
            frame = frames[-1]
            code, pc = frame.code, frame.pc
            steps += 1
            self.work.left = self.work.budget
            self.work.print_later = True
            try:
                result = frame.blocks[pc](frame, frame.locals, G, value)
            except FatalRunError as fatal:
                return steps, None, (NR_FATAL, self._where(fatal, frame) + fatal.what)
            except StoppedRunError:
                raise
            except BaseException as exception:
                looks = program.looks(code, pc)
                frame = self._raise(exception, tracebacks.site_of(exception, frame))
                value = frame.locals.pop()
                exception.__traceback__ = None
                if not looks:
                    continue
                frames.append(Frame(program.check_code, 0, [value]))
                return steps, None, None
            finally:
                self.work.print_later = False
            value = None
            looks = program.looks(code, pc)
            if result.__class__ is int:
                frame.pc = result
                looks = looks or (result <= pc and code.index >= 0)
            elif result[0] == RERAISE:
                frame = self._raise(result[1], None)
                value = frame.locals.pop()
                continue
            elif result[0] == RETURN:
                frames.pop()
                value = result[1]
            elif result[0] == VALUE:
                looks = True
                value = result[1]
            elif looks or (
                result[0] == CALL and (result[1].looks_first or len(frames) > MAX_DEPTH)
            ):
                self.interrupt(result, OP_NOT_BEGUN, 0)
                return steps, None, None
            elif result[0] == CALL:
                frames.append(Frame(result[1], 0, result[2]))
            else:
                return steps, None, result
            if looks:
                frames.append(Frame(program.check_code, 0, [value]))
                return steps, None, None

    def _grown_too_large(self) -> bool:
        """Weigh the process; return whether it holds too much memory.

        Raises:
            OutOfMemoryError: it holds far too much.
            FatalRunError: it does, and SIGKILL does not end it.
        """
        limit = self.work.memory
        over = memory.look(self, limit)
        if over > limit:
            raise FatalRunError(f"the process holds more than twice {limit} bytes of memory")
        if over > limit >> 2:
            self.look_at = limit // UNIT_BYTES
            raise OutOfMemoryError
        return over > 0

    def trip(self, signals: tuple[int, ...]) -> None:
        """Note signals whose C-level handlers have run in this thread, in this order."""
        process = own_process(self.globals)
        if SIGSETXID in signals:  # the C library's: CPython does not hear of it
            signals = tuple([signal for signal in signals if signal != SIGSETXID])
            if not signals:
                return
        for signal in signals:
            process.tripped |= 1 << (signal - 1)
        if process.wakeup_fd >= 0:
            process.wakeups += signals
        process.attention = True

    def _attend(
        self, process: Process, value: Any, error: Error | None
    ) -> tuple[Any, Error | None]:
        """Push the frames that noted signals ask for; return what then comes back first.

        After an error the main thread looks a little later: ``_look_soon``.
        """
        frames = self.frames
        program = process.program
        main = self.thread_index == process.main
        if main and error is None and frames[-1].code.interruptible:
            frames.append(Frame(program.check_code, 0, [value]))
            value = None
        if process.wakeups:
            frames.append(Frame(program.wakeup_code, 0, [process.wakeups, value, error]))
            process.wakeups = ()
            value = error = None
        return value, error

    def interrupt(self, op: Op, how: int, until_ns: int) -> None:
        """The pending op was not carried out: let ``library.RETRY`` see to it."""
        frames = self.frames
        values = [op, how, until_ns]
        code = self.globals[0].program.retry_code
        if frames[-1].code is code:
            frames[-1].pc = 0  # it was begun again already
            frames[-1].locals = values
        else:
            frames.append(Frame(code, 0, values))

    def _raise(self, exception: BaseException, site: Any) -> Frame:
        """Unwind to the frame that handles ``exception``; leave it there as the last local.

        Args:
            exception: the guest exception.
            site: source range in the top frame, or None to add no traceback entry for it.

        Returns:
            The handling frame, its pc at the handler. There always is one: the library frame at
            the bottom of every stack handles everything.
        """
        frames = self.frames
        tracebacks.note_context(exception, frames)
        if exception.__traceback__ is not None:
            tracebacks.add_comprehensions(exception)
        while True:
            frame = frames[-1]
            if site is not None:
                tracebacks.add_entry(exception, frame.code, site)
            handler = frame.code.handlers[frame.pc]
            if handler >= 0:
                frame.pc = handler
                frame.locals.append(exception)
                return frame
            frames.pop()
            caller = frames[-1]
            site = caller.code.sites[caller.pc]
            if site is None and caller.code.index >= 0:
                site = tracebacks.start_of(caller)  # a signal handler's, called between two blocks

    def _where(self, fatal: FatalRunError, frame: Frame) -> str:
        """Return ``file:line: `` of the guest code that broke a limit."""
        site = tracebacks.site_of(fatal, frame)
        frames = list(self.frames)
        while frames and frames[-1].code.index < 0:
            frames.pop()
            if frames:
                site = frames[-1].code.sites[frames[-1].pc]
        path = self.globals[0].path
        return f"{path}:{site[0]}: " if site else f"{path}: "

    def fork(self) -> "Context":
        """Return an independent copy: this thread's frames and all it can reach."""
        return fork(self)

    def share(self) -> "Context":
        """Return a vfork child's context: own position, the very same locals and globals."""
        frames = [Frame(frame.code, frame.pc, frame.locals) for frame in self.frames]
        child = Context(self.work, self.globals, frames, self.thread_index)
        child.made, child.look_at = self.made, self.look_at
        return child

    def thread(self, start: Any) -> "Context":
        """Return the context of a new thread; ``start`` is its index in ``Process.threads``."""
        frames = self.globals[0].program.thread_frames(start)
        return Context(self.work, self.globals, frames, start)

    def pack(self) -> Any:
        """Return the whole context as plain data that msgpack can carry."""
        return pack_contexts([self])
