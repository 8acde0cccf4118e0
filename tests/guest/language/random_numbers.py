"""random is CPython's generator where the program seeds it, and another in every process else."""

import os
import random
import threading
from random import randint


def draws():
    print(random.random(), random.randint(1, 6), random.uniform(0, 10), random.randrange(10))
    print(random.choice([1, 2, 3]), random.choice("abc"), random.sample(range(100), 5))
    print(random.choices("ab", weights=[3, 1], k=6), random.choices([1, 2, 3], k=2))
    items = list(range(8))
    random.shuffle(items)
    print(items, random.gauss(0, 1), random.getrandbits(70), random.expovariate(2))
    print(random.randrange(0, 100, 7), random.triangular(), random.randbytes(3), randint(0, 9))
    print(random.betavariate(1, 2), random.normalvariate(5, 2), random.gauss(1, 2))


def seeds():
    for seed in (0, 42, -3, 1.5, "text", b"bytes", 10**30):
        random.seed(seed)
        print(seed, random.random(), random.randint(0, 1000))


def forks():
    random.seed(7)
    first = random.random()
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(w, b"%r" % random.random())  # seeded anew after fork
        random.seed(7)
        os._exit(0 if random.random() == first else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), random.random())
    random.seed(7)
    random.random()
    print(float(os.read(r, 100)) != random.random())


def unseeded():
    random.seed()
    mine = [random.getrandbits(64) for _ in range(3)]
    r, w = os.pipe()
    for _ in range(2):
        if os.fork() == 0:
            os.write(w, b"%d " % random.getrandbits(64))
            os._exit(0)
    os.wait()
    os.wait()
    theirs = [int(x) for x in os.read(r, 1000).split()]
    print(len(set(mine + theirs)), all(0 <= x < 1 << 64 for x in theirs))
    print(len(os.urandom(16)), os.urandom(16) != os.urandom(16), os.urandom(0))


def threads():
    random.seed(1)
    out = []

    def draw(n):
        for _ in range(n):
            out.append(random.random())

    made = [threading.Thread(target=draw, kwargs={"n": 3}) for _ in range(2)]
    for t in made:
        t.start()
        t.join()
    random.seed(1)
    print(out == [random.random() for _ in range(6)])
    print(threading.current_thread().name, threading.current_thread() is threading.main_thread())

    def who():
        me = threading.current_thread()
        print(me.name, me is made[0], me is named, me.daemon)

    named = threading.Thread(target=who, name="worker", daemon=True)
    named.start()
    named.join()


def errors():
    for call in (
        lambda: random.choice([]),
        lambda: random.sample([1], 2),
        lambda: random.randint(5, 1),
        lambda: random.randrange(0),
        lambda: random.choice({1, 2}),
        lambda: random.sample({1, 2}, 1),
        lambda: random.seed([]),
        lambda: random.choices([], k=1),
        lambda: random.getrandbits(-1),
    ):
        try:
            print(call())
        except (IndexError, ValueError, TypeError) as e:
            print(type(e).__name__, e)


random.seed(2026)
draws()
seeds()
forks()
unseeded()
threads()
errors()
