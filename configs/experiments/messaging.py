"""Groups of senders and receivers over pipes, as hackbench: every sender writes to every receiver.

Each pipe is one receiver's, and its senders share it. Writes ``done`` and the number of messages.
"""

import os

GROUPS = 3
SENDERS = 4
RECEIVERS = 4
LOOPS = 12
SIZE = 100


def receive(reader, messages):
    left = messages * SIZE
    while left:
        left -= len(os.read(reader, left if left < 4096 else 4096))


def send(writers):
    message = b"x" * SIZE
    for _ in range(LOOPS):
        for writer in writers:
            os.write(writer, message)


for _ in range(GROUPS):
    writers = []
    for _ in range(RECEIVERS):
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.close(writer)
            receive(reader, SENDERS * LOOPS)
            os._exit(0)
        os.close(reader)
        writers.append(writer)
    for _ in range(SENDERS):
        if os.fork() == 0:
            send(writers)
            os._exit(0)
    for writer in writers:
        os.close(writer)
for _ in range(GROUPS * (SENDERS + RECEIVERS)):
    os.wait()
print("done", GROUPS * SENDERS * RECEIVERS * LOOPS)
