"""Benchmarks under the names that people type: ``hackbench:-p -g 2``, ``stressng:fork,ops=1000``.

A preset is the text of a guest program: a shipped one with its table filled in, as the options say,
which are those of the tool itself. So it is compiled, emulated, run natively, recorded and replayed
as every other program. ``registry`` finds the families; each is one module of ``families``, and
nothing else knows of it. ``beside`` runs a preset emulated, natively and as the tool, if that is
installed.
"""
