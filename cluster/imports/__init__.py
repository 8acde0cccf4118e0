"""Files of other tools that become workloads: ``workloads: [{import: FILE}]``.

``registry`` finds who can read a file; each reader is one module of ``formats`` and nothing else
knows of it. What a reader makes is the text of a guest program, so an imported workload is
compiled, emulated, run natively and kept with a run as every other program is.
"""
