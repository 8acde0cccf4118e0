"""A program that is outside the guest language: a configuration names it."""


class Kept:
    """Not for guests."""
