"""The lottery among the shipped schedulers: who wins with which number."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

FILE = Path(__file__).parents[2] / "configs" / "schedulers" / "lottery.py"


def lottery(*weights):
    """A lottery in which tasks with these weights wait, and where it will say who won."""
    drawn = []
    found = runpy.run_path(str(FILE))["Lottery"]()
    found.kick_cpu = lambda cpu: None
    found.dsq_insert = lambda p, dsq, slice_ns: drawn.append(p)
    found.init()
    tasks = [SimpleNamespace(weight=weight) for weight in weights]
    for p in tasks:
        found.enqueue(p, 0)
    return found, tasks, drawn


def draw(found, number, of):
    def random(below):
        assert below == of
        return number

    found.random = random
    found.dispatch(0, None)


@pytest.mark.parametrize(("number", "winner"), [(0, 0), (2, 0), (3, 1), (4, 2), (7, 2)])
def test_the_number_drawn_is_looked_for_in_the_order_of_arrival(number, winner):
    found, tasks, drawn = lottery(3, 1, 4)
    draw(found, number, of=8)
    assert drawn == [tasks[winner]]


def test_who_has_won_or_left_has_no_tickets_any_more():
    found, tasks, drawn = lottery(3, 1, 4, 2)
    found.dequeue(tasks[1], 0)
    draw(found, 3, of=9)
    draw(found, 3, of=5)
    draw(found, 2, of=3)
    found.dispatch(0, None)
    assert drawn == [tasks[2], tasks[3], tasks[0]]


def test_a_new_weight_counts_at_the_next_draw():
    found, tasks, drawn = lottery(3, 1)
    found.set_weight(tasks[0], 1)
    found.set_weight(SimpleNamespace(weight=9), 9)  # one that runs
    draw(found, 1, of=2)
    assert drawn == [tasks[1]]
