"""Machines that run litmus tests: what a processor of a kind may do, one transition at a time."""
