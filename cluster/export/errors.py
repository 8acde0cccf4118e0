"""What an export may fail of, beside damaged traces and full disks."""


class CannotExport(Exception):
    """A format cannot be written: not there, or not as asked. The message says why."""
