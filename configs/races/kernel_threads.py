"""A process that computes while the kernel makes its threads."""

from workloads.guest import compute

compute(20_000)
print("computed")
