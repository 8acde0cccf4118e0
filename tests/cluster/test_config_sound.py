"""What is left of a configuration without its wrong values, and where in the file that is."""

import copy
from typing import Any

import pytest

from cluster.config.sound import Sound

DATA: dict[str, Any] = {
    "name": "a",
    "machine": {"cpus": 2, "hz": 100},
    "workloads": [{"program": "x"}, {"program": "y", "args": [1, 2, 3]}, {"program": "z"}],
}


def without(*paths: tuple[str | int, ...]) -> tuple[Sound, Any]:
    sound = Sound(copy.deepcopy(DATA))
    assert all(sound.take_out(path) for path in paths)
    return sound, sound.data()


def test_a_wrong_key_is_left_out_alone() -> None:
    sound, data = without(("machine", "cpus"))
    assert data == {**DATA, "machine": {"hz": 100}}
    assert not sound.is_sound(("machine", "cpus"))
    assert not sound.is_sound(("machine",))
    assert sound.is_sound(("machine", "hz"))


def test_what_lacks_a_key_is_left_out_whole_and_the_rest_keeps_its_places() -> None:
    sound, data = without(("workloads", 0, "every", "unit"), ("workloads", 1, "args", 0))
    assert data["workloads"] == [{"program": "y", "args": [2, 3]}, {"program": "z"}]
    assert sound.written(("workloads", 0, "args", 1)) == ("workloads", 1, "args", 2)
    assert sound.written(("workloads", 1, "program")) == ("workloads", 2, "program")
    assert not sound.is_sound(("workloads", 0))
    assert sound.is_sound(("workloads", 2))


def test_a_workload_stands_for_those_that_are_all_wrong() -> None:
    sound, data = without(("workloads",))
    assert [list(workload) for workload in data["workloads"]] == [["program"]]
    assert not sound.is_sound(("workloads", 0))


@pytest.mark.parametrize("data", [None, 3, [1], "text"])
def test_of_what_is_no_mapping_nothing_is_left(data: Any) -> None:
    assert not Sound(data).take_out(())


def test_the_document_itself_stays_as_it_is() -> None:
    data = copy.deepcopy(DATA)
    Sound(data).take_out(("machine", "cpus"))
    assert data == DATA
