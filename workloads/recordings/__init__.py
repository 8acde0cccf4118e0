"""Recordings of real programs, made into guest programs.

What ``strace -f -ttt`` or ``perf sched record`` has seen becomes a program in the guest language
whose processes fork, exec, compute, sleep, wait and end as the recorded ones did::

    strace_lines, strace  ->  model  ->  program
    perf_script           ->

A reader goes through its file once, line by line, and keeps only steps (``model``): what needs no
step of its own, such as a call that returned at once, is added to the computing time around it.
"""
