"""A Barrier holds threads until all are there, again and again; its action runs once a round."""

import threading

PARTIES = 3
ROUNDS = 4

rounds = []
numbers = []
passed = [0]


def action():
    rounds.append(barrier.n_waiting)


def work(number):
    for _ in range(ROUNDS):
        before = passed[0] // PARTIES
        numbers.append(barrier.wait())
        passed[0] += 1
        second.wait()
        if passed[0] // PARTIES != before + 1:
            print("passed too early")


barrier = threading.Barrier(PARTIES, action)
second = threading.Barrier(parties=PARTIES)
print(barrier.parties, barrier.n_waiting, barrier.broken)
threads = []
for number in range(PARTIES):
    threads.append(threading.Thread(target=work, args=(number,)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(rounds), sorted(numbers), barrier.n_waiting, barrier.broken)
alone = threading.Barrier(1)
print(alone.wait(), alone.wait(0))
