"""What this host's kernel costs a guest program, as a cost profile.

One guest program, ``probe``, does one thing over and over. It runs on the host and on the emulated
machine (``sides``). ``steps`` says which costs of the profile go by which number of which probe;
``solve`` moves them until the emulated machine takes what the host took. Nothing else is fitted:
no storm, no workload. docs/calibration.md has the method and its limits.
"""
