"""The guest language: Python programs that run natively and on the emulated machine.

Theory of operation, in the order a program meets it (each module's header has its own part):

1. ``compiler`` parses a source file; ``scopes`` decides what every name stands for; ``checker``
   refuses, all at once, what is outside the subset (its names are in ``tables``).
2. ``statements`` and ``expressions`` lower each function to **blocks** that end at a system call
   or a call of a guest function. A block becomes one host function ``block(F, L, G, V)`` over an
   explicit frame; variables are list items, so ordinary expressions run at CPython's own speed.
   All blocks of a program are one host module, compiled once, with the guest's source positions.
3. ``context.Context`` runs blocks until one asks for something: that is the op it hands to the
   kernel. Everything a context holds is plain data, so ``copying`` can fork it, share it and turn
   it into what msgpack carries, with aliases kept.
4. ``library`` holds the blocks that CPython's run time would contribute: the writes of ``print``,
   the traceback of an uncaught exception, thread start, the joins at exit, the PATH search.
5. ``signals`` is the module ``signal``. The kernel says which handlers have run in C (``trip``);
   Python's run in the main thread when an op has come back, and what was interrupted is retried.
6. ``loader`` compiles lazily and hands out contexts.

The security boundary has three parts: block code has no builtins; it names no attribute of a
guest value (``methods`` holds the whole of what can be reached, per exact type); and whatever can
take long or grow large goes through ``bounded``, which charges the block's budget first. A broken
limit is no guest exception: the context answers ``NR_FATAL`` and the run is over.

Preemption: a jump back, or a call, after ``frames.FUEL`` blocks, or fewer that together spend more
than one block may, returns ``NR_PREEMPT_POINT``; a loop without calls runs natively for
``statements.TURNS`` turns and then jumps back. ``steps``
counts blocks and native turns for the cost model; turns before an exception in a native loop are
not counted.

What differs from CPython on Linux:

Deviation: one write(2) per line of a traceback, where CPython makes several; text is the same, but
the entries of ``threading`` itself are left out.
Deviation: the frame that a signal handler gets can be passed on and compared, nothing else.
Deviation: a signal whose handler was taken away before it could run is dropped without a message.
Deviation: a bare ``raise`` is allowed only inside the except clause itself.
Deviation: warnings of the compiler (``SyntaxWarning``) are not printed.
Deviation: the interpreter lock orders the threads of a process but does not hold one off while
another has not come to a call: a thread may be preempted at any op, where CPython's keeps the lock
for 5 ms.
"""
