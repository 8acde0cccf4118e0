"""Two threads take turns with a lock: whoever gives it back looks whether anybody waits for it."""

import threading

ROUNDS = 2
lock = threading.Lock()
turns = []


def take_turns(name: str) -> None:
    for _ in range(ROUNDS):
        with lock:
            turns.append(name)


other = threading.Thread(target=take_turns, args=("b",))
other.start()
take_turns("a")
other.join()
print("took turns", len(turns))
