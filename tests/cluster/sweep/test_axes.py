"""The axes of an experiment: ranges, what goes together, and what is refused."""

from pathlib import Path

import pytest

from cluster.config.axes import RangeError, read_range
from cluster.config.errors import ConfigError
from cluster.config.experiment import read_experiment

HEAD = "base: base.yaml\nmeasure: [virtual]\n"


def read(text):
    Path("e.yaml").write_text(HEAD + text, "utf-8")
    return read_experiment(Path("e.yaml"))


def problems(text):
    with pytest.raises(ConfigError) as caught:
        read(text)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1..4", [1, 2, 3, 4]),
        ("5..5", [5]),
        ("0..100 step 40", [0, 40, 80]),
        ("-20..19 step 13", [-20, -7, 6, 19]),
        ("1..64 times 4", [1, 4, 16, 64]),
        ("3..100 times 5", [3, 15, 75]),
        ("10us..1000us times 10", ["10us", "100us", "1000us"]),
    ],
)
def test_a_range_has_its_ends_and_what_its_steps_meet(text, values):
    found = read_range(text)
    assert list(found.values()) == values
    assert len(found) == len(values)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("8..1", "the range is empty: it ends before it begins"),
        ("1..8 step 0", "step must be at least 1"),
        ("1..8 times 1", "times must be at least 2"),
        ("0..8 times 2", "a range with times must begin at 1 or more"),
        ("1us..8ms", "both ends of a range must have the same unit"),
        ("1...8", "must be a list of values, a mapping, or a range as in 1..8 or 1..64 times 2"),
    ],
)
def test_a_text_that_is_no_range_is_refused_with_the_reason(text, why):
    with pytest.raises(RangeError) as caught:
        read_range(text)
    assert str(caught.value) == why


def test_a_range_is_a_list_of_its_values(folder):
    short = read("axes: {machine.cpus: 1..8 times 2}\n")
    long = read("axes: {machine.cpus: [1, 2, 4, 8]}\n")
    assert [point.labels for point in short.points] == [point.labels for point in long.points]
    assert [point.text for point in short.points] == [point.text for point in long.points]


def test_paired_axes_go_together_and_are_crossed_with_the_others(folder):
    found = read(
        """axes:
  machine.cpus: 1..4 times 2
  sched.fair: [cfs, eevdf]
  workloads.0.instances: [5, 6, 7]
paired: [[machine.cpus, workloads.0.instances]]
seeds: [1, 2]
"""
    )
    assert [(*point.labels, point.seed) for point in found.points] == [
        (cpus, fair, number, seed)
        for cpus, number in (("1", "5"), ("2", "6"), ("4", "7"))
        for fair in ("cfs", "eevdf")
        for seed in (1, 2)
    ]
    config = found.points[-1].load().config
    assert (config.machine.cpus, config.workloads[0].instances, config.seed) == (4, 7, 2)


def test_a_paired_axis_may_have_a_value_twice(folder):
    found = read(
        "axes: {machine.cpus: 1..3, sched.fair: [cfs, eevdf, cfs]}\n"
        "paired: [[sched.fair, machine.cpus]]\n"
    )
    assert [point.labels for point in found.points] == [("1", "cfs"), ("2", "eevdf"), ("3", "cfs")]


def test_what_is_set_is_put_into_every_point(folder):
    found = read("set: {trace.enabled: false, linux: 2.6.34}\naxes: {machine.cpus: 1..2}\n")
    configs = [point.load().config for point in found.points]
    assert [(config.trace.enabled, config.linux) for config in configs] == [(False, "2.6.34")] * 2


def test_every_problem_is_told_at_once_and_at_its_place(folder):
    assert problems(
        """axes:
  machine.cpus: 8..1
  sched.fair: []
  linux: ['6.12']
  machine.hz: [100, 100]
  no key: [1]
paired: [[linux, machine.hs], [linux, sched.fair]]
seeds: [1, x, 1]
"""
    ) == [
        "e.yaml:4:17: axes.machine.cpus: the range is empty: it ends before it begins (got '8..1')",
        "e.yaml:5:15: axes.sched.fair: must be a list of values, a mapping, or a range as in "
        "1..8 or 1..64 times 2 (got an empty list)",
        "e.yaml:7:21: axes.machine.hz.1: is there twice (got 100)",
        "e.yaml:8:3: axes.no key: must be a key of the configuration, as in machine.cpus "
        "(got 'no key')",
        "e.yaml:9:18: paired.0.1: there is no such axis (got 'machine.hs')",
        "e.yaml:9:32: paired.1.0: is paired twice (got 'linux')",
        "e.yaml:10:12: seeds.1: a seed is from 0 to 2**63 - 1 (got 'x')",
        "e.yaml:10:15: seeds.2: is there twice (got 1)",
    ]


def test_values_are_checked_whatever_else_is_wrong(folder):
    values = "axes: {machine.cpus: [1, 0], sched.fair: [cfs, nix], machine.hz: RANGE}\n"
    wrong = [
        "e.yaml:3:26: axes.machine.cpus.1: must be at least 1 (got 0)",
        "e.yaml:3:48: axes.sched.fair.1: must be one of auto, cfs, eevdf, o1, or FILE.py:CLASS "
        "(got 'nix')",
    ]
    seeds = "seeds: 1..1000000000000\n"
    assert problems(f"{values.replace('RANGE', '[100]')}{seeds}foo: 1\n") == [
        *wrong,
        "e.yaml:4:8: seeds: must make at most 10,000 points (got '1..1000000000000')",
        "e.yaml:5:1: foo: unknown key (known here: name, base, set, axes, paired, seeds, measure)",
    ]
    Path("e.yaml").write_text(
        f"name: a\nset: {{vm: 3}}\n{values.replace('RANGE', '8..1')}", "utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        read_experiment(Path("e.yaml"))
    assert str(caught.value).splitlines() == [
        "e.yaml:1:1: base: is required",
        "e.yaml:1:1: measure: is required",
        "e.yaml:2:11: set.vm: must be a mapping (got 3)",
        *wrong,
        "e.yaml:3:66: axes.machine.hz: the range is empty: it ends before it begins (got '8..1')",
    ]


def test_what_an_axis_that_is_wrong_may_have_made_right_is_not_told(folder):
    Path("base.yaml").write_text("machine: {cpus: 1, hz: 7}\n", "utf-8")
    text = "axes: {workloads: [1, [2]], machine.hz: 8..1}\n"
    assert [line.split(": ")[1] for line in problems(text)] == [
        "axes.workloads.1",
        "axes.machine.hz",
    ]


def test_keys_that_no_point_acts_upon_are_refused(folder):
    text = "set: {ray.hosts: 2, trace.enabled: false}\naxes: {out: [a, b]}\n"
    assert problems(text) == [
        "e.yaml:3:7: set.ray.hosts: has no effect on the points of a sweep: they run on the "
        "engine local",
        "e.yaml:4:8: axes.out: has no effect on the points of a sweep: the sweep has one "
        "directory; --out says where",
    ]


def test_paired_axes_of_different_lengths_are_refused(folder):
    assert problems(
        "axes: {machine.cpus: 1..3, linux: ['6.12']}\npaired: [[machine.cpus, linux]]\n"
    ) == ["e.yaml:4:25: paired.0.1: linux has 1 value and machine.cpus 3: paired axes have as many"]


def test_too_many_points_are_refused_before_any_is_made(folder):
    lines = problems("axes: {machine.cpus: 1..100000000000000000}\nseeds: 1..3\n")
    assert lines == [
        "e.yaml:3:7: axes: must make at most 10,000 points (got 300,000,000,000,000,000)"
    ]
    lines = problems("axes: {machine.cpus: [1]}\nseeds: 1..100000000000000000\n")
    assert lines[0].startswith("e.yaml:4:8: seeds: must make at most 10,000 points")


def test_a_wrong_value_of_a_range_is_told_where_the_range_is(folder):
    assert problems("axes: {machine.cpus: 0..1}\n") == [
        "e.yaml:3:22: axes.machine.cpus: must be at least 1 (got 0)"
    ]


def test_a_wrong_key_or_value_of_set_is_told_there(folder):
    assert problems("set: {machine.cpu: 1, machine.hz: 7}\naxes: {machine.cpus: [1]}\n") == [
        "e.yaml:3:7: set.machine.cpu: unknown key (did you mean cpus?)",
        "e.yaml:3:35: set.machine.hz: must be one of 100, 250, 300, 1000 (got 7)",
    ]
    assert problems("set: {machine.cpus: 1, seed: 1}\naxes: {machine.cpus: [1]}\n") == [
        "e.yaml:3:7: set.machine.cpus: is an axis, too",
        "e.yaml:3:24: set.seed: seeds have a key of their own: seeds",
    ]


def test_a_number_that_no_summary_has_is_refused_with_the_nearest(folder):
    text = HEAD.replace("virtual", "summary.memory.cow_copid, summary.locks.tasklist.wait_ns")
    Path("e.yaml").write_text(text + "axes: {machine.cpus: [1]}\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        read_experiment(Path("e.yaml"))
    assert str(caught.value).splitlines() == [
        "e.yaml:2:11: measure.0: the summary has no number memory.cow_copid "
        "(did you mean summary.memory.cow_copied?) (got 'summary.memory.cow_copid')",
        "e.yaml:2:37: measure.1: the summary has no number locks.tasklist.wait_ns "
        "(did you mean summary.locks.tasklist_lock.wait_ns?) "
        "(got 'summary.locks.tasklist.wait_ns')",
    ]
