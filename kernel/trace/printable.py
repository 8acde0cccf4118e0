"""Text from guests is data: names and paths of theirs, made fit for a line of ours.

A task's name, a file's path or what a program wrote may hold escape sequences, which steer a
terminal, and line breaks, which forge a line. Whatever prints such text in a message, a table, a
trace or a tree puts it through one of these two.
"""


def printable(text: str) -> str:
    """Return ``text`` in printable ASCII, all else escaped (``\\x1b``, ``\\n``, ``\\u2028``).

    For names of tasks and files in tables, traces and stories.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        [char if char.isascii() and char.isprintable() else ascii(char)[1:-1] for char in text]
    )


def printable_line(text: str) -> str:
    """Return ``text`` as one line that steers no terminal; letters of all languages stay.

    For whole messages, which hold names that the user typed as well.
    """
    if text.isprintable():
        return text
    return "".join([char if char.isprintable() else ascii(char)[1:-1] for char in text])
