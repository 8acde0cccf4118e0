"""Calls of ``workloads.guest`` that have no native form: CPython cannot make them here."""


def missing(what: str) -> NotImplementedError:
    """Return the exception to raise; the oracle's notes hear of it here."""
    return NotImplementedError(what)
