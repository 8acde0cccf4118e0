"""Cost profiles as values that processes send each other."""

import pickle
from dataclasses import fields

from kernel.costs import Costs


def test_costs_are_pickled_by_their_values_and_not_by_how_their_class_is_made() -> None:
    costs = Costs(exec_base=7)
    make, values = costs.__reduce__()
    assert (make, len(values)) == (Costs, len(fields(Costs)))
    assert pickle.loads(pickle.dumps(costs)) == costs
