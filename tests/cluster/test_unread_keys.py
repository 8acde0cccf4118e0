"""No key is accepted and ignored: somebody reads every cost, and every key of a configuration.

By name: a key that is called as something else is not found by this.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.config import models
from cluster.config.model import Model
from kernel.costs import cost_names

ROOT = Path(__file__).resolve().parents[2]
#: Sections whose keys are read by name, from their dataclasses: tests/cluster/test_config.py; and
#: those of groups, whose names have dots: tests/cluster/test_cgroups.py, test_cpu_max.py.
BY_NAME = {"Sched", "SchedKeys", "Cgroup"}
#: For whoever reads the file: how sure a measured cost is.
FOR_PEOPLE = {("CostEntry", "interval")}


def reads(folder: str) -> Iterator[tuple[str, str]]:
    """Yield every attribute that is read in a package: ``(whose, name)``, whose as it ends."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                yield ast.unparse(node.value).rpartition(".")[2], node.attr


IN_KERNEL = set(reads("kernel"))
IN_CLUSTER = {name for _, name in reads("cluster")}
KEYS = [
    (model.__name__, key)
    for model in vars(models).values()
    if isinstance(model, type) and issubclass(model, Model) and model.__name__ not in BY_NAME
    for key in model.model_fields
    if (model.__name__, key) not in FOR_PEOPLE
]


@pytest.mark.parametrize("name", cost_names())
def test_every_cost_is_read_by_the_kernel(name: str) -> None:
    assert ("costs", name) in IN_KERNEL


@pytest.mark.parametrize(("model", "key"), KEYS, ids=[".".join(key) for key in KEYS])
def test_every_key_of_a_configuration_is_read(model: str, key: str) -> None:
    assert key in IN_CLUSTER
