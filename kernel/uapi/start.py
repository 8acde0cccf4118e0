"""How a program finds itself started: bits that exec hands to the user half with its arguments.

They stand for what CPython's start-up learns by a few calls on descriptors 0, 1 and 2 and from its
own command line. 0 is the usual case: all three open, none a terminal, streams buffered.
"""

from typing import Final

START_CLOSED: Final = 1  # << fd: the descriptor is not open
START_TERMINAL: Final = 8  # << fd: it is a terminal
START_UNBUFFERED: Final = 64  # python3 -u
