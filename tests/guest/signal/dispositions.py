"""What signal() and getsignal() say, and which signals they refuse."""

import signal


def first(number, frame):
    print("first", int(number))


def second(number, frame):
    print("second", int(number))


print(signal.getsignal(signal.SIGINT) == signal.default_int_handler)
for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, 64):
    print(int(number), int(signal.getsignal(number)))
print(int(signal.signal(signal.SIGTERM, first)))
print(signal.signal(signal.SIGTERM, second) == first)
print(signal.getsignal(signal.SIGTERM) == second)
print(signal.signal(signal.SIGTERM, signal.SIG_IGN) == second)
print(int(signal.signal(signal.SIGTERM, signal.SIG_DFL)))
print(signal.signal(signal.SIGINT, first) == signal.default_int_handler)
print(signal.signal(signal.SIGINT, signal.default_int_handler) == first)
for number in (0, 65, -1, 1000):
    try:
        signal.signal(number, first)
    except ValueError as error:
        print(number, error)
    try:
        signal.getsignal(number)
    except ValueError as error:
        print(number, error)
for number in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
    for handler in (first, signal.SIG_IGN, signal.SIG_DFL):
        try:
            signal.signal(number, handler)
        except OSError as error:
            print(int(number), error)
    print(int(number), signal.getsignal(number) in (signal.SIG_DFL, None))
for number in (32, 33):
    print(signal.getsignal(number))
for handler in (None, 5, "x"):
    try:
        signal.signal(signal.SIGTERM, handler)
    except TypeError as error:
        print(error)
