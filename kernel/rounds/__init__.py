"""The rounds in which a machine runs, as far as they are computation: compiled with the kernel.

An engine lets the CPUs go (``group``), brings what they ask for to the kernel (``view``), and asks
a scheme how far either may go. Clocks, engines and schemes are in ``cluster``.
"""
