"""What is wrong with a litmus test, and where."""


class LitmusError(ValueError):
    """A file that is no litmus test, or one with something that is not supported.

    ``line`` and ``column`` count from 1. The message says what was expected and what was found.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
