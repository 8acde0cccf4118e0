"""A configuration emulated, with the costs of this host, and natively: the same numbers of both.

``host`` says what a host cannot do of what a configuration asks for, and runs the rest: each
program below ``stage``, which keeps the start of the interpreter out of the times. ``emulated``
takes the same numbers from the trace and the summary of a run; ``rows`` puts them side by side.
``beside`` is about presets: what the program prints, emulated and natively, and what the real tool
prints.
"""
