"""What is drawn of a sweep: which axis, which lines, which intervals."""

from statistics import fmean

import pytest

from cluster.figures.charts import chart
from cluster.figures.curves import MOST_LINES, NothingToDraw, curves_of, short_names
from cluster.sweep.differences import Sample
from cluster.sweep.intervals import difference


def sample(axes: tuple[str, ...], cells: dict[tuple[str, ...], list[int]]) -> Sample:
    made = Sample("a sweep", axes, ("virtual",))
    for labels, values in cells.items():
        made.cells[labels] = {seed: {"virtual": value} for seed, value in enumerate(values)}
    return made


TWO = sample(
    ("sched.fair", "machine.cpus"),
    {
        (fair, str(cpus)): [cpus * 100, cpus * 100 + 10]
        for fair in ("cfs", "eevdf")
        for cpus in (1, 2, 4)
    },
)


def test_the_axis_of_most_numbers_is_along_the_bottom_and_the_others_are_lines() -> None:
    curves = curves_of(TWO)
    assert (curves.axis, curves.title, curves.numbers) == ("machine.cpus", "cpus", True)
    [panel] = curves.panels
    assert [line.name for line in panel.lines] == ["fair cfs", "fair eevdf"]
    assert [spot.x for spot in panel.lines[0].spots] == [1.0, 2.0, 4.0]


def test_an_axis_of_names_stands_side_by_side_in_its_order() -> None:
    curves = curves_of(TWO, "fair")
    assert (curves.axis, curves.numbers) == ("sched.fair", False)
    assert curves.ticks == ((0.0, "cfs"), (1.0, "eevdf"))
    assert len(curves.panels[0].lines) == 3


def test_the_band_is_the_interval_that_compare_has() -> None:
    values = [100, 130, 90, 111]
    [panel] = curves_of(sample(("n",), {("1",): values, ("2",): values})).panels
    spot = panel.lines[0].spots[0]
    against_zero = difference(dict.fromkeys(range(4), 0), dict(enumerate(values)))
    assert spot.mean == fmean(values)
    assert (spot.low, spot.high) == pytest.approx((against_zero.low, against_zero.high))


def test_one_run_has_no_band() -> None:
    curves = curves_of(sample(("n",), {("1",): [5], ("2",): [6]}))
    assert not curves.banded
    spot = curves.panels[0].lines[0].spots[0]
    assert (spot.low, spot.mean, spot.high) == (5, 5, 5)


def test_axes_that_go_together_have_a_line_for_each_pair_that_occurs() -> None:
    cells = {("a", "x", "1"): [1], ("b", "y", "1"): [2], ("a", "x", "2"): [3]}
    [panel] = curves_of(sample(("one", "two", "n"), cells)).panels
    assert [(line.name, len(line.spots)) for line in panel.lines] == [
        ("one a, two x", 2),
        ("one b, two y", 1),
    ]


def test_an_axis_that_goes_together_with_the_bottom_one_makes_no_lines() -> None:
    cells = {(lock, cpus, cpus): [1] for lock in ("own", "one") for cpus in ("1", "2", "4")}
    [panel] = curves_of(sample(("lock", "cpus", "workers"), cells)).panels
    assert [(line.name, len(line.spots)) for line in panel.lines] == [
        ("lock own", 3),
        ("lock one", 3),
    ]


def test_a_key_is_as_short_as_tells_it_from_the_others() -> None:
    keys = ("workloads.0.params.pages", "workloads.1.params.pages", "vm.fork")
    assert list(short_names(keys).values()) == ["0.params.pages", "1.params.pages", "fork"]


def test_scales_that_span_much_are_logarithmic_unless_something_is_zero() -> None:
    wide = {("1",): [1], ("1000",): [5000]}
    curves = curves_of(sample(("n",), wide))
    assert (curves.logarithmic, curves.panels[0].logarithmic) == (True, True)
    zero = curves_of(sample(("n",), {("0",): [0], ("1000",): [5000]}))
    assert (zero.logarithmic, zero.panels[0].logarithmic) == (False, False)


def test_more_lines_than_can_be_told_apart_are_counted_not_drawn() -> None:
    cells = {(f"name{number}", str(n)): [n] for number in range(30) for n in (1, 2)}
    curves = curves_of(sample(("name", "n"), cells))
    assert len(curves.panels[0].lines) == MOST_LINES
    assert curves.left_out == 30 - MOST_LINES


@pytest.mark.parametrize(
    ("axis", "measures", "told"),
    [
        ("cores", (), "--x: no axis cores that is free (there is: sched.fair, machine.cpus)"),
        ("", ("virtul",), "--measure: virtul (there is: virtual)"),
    ],
)
def test_what_is_not_there_is_named(axis: str, measures: tuple[str, ...], told: str) -> None:
    with pytest.raises(NothingToDraw) as raised:
        curves_of(TWO, axis, measures)
    assert str(raised.value) == told


@pytest.mark.parametrize("values", [[0, 0], [-5, 3], [7, 7], [1, 10**12]])
def test_a_drawing_holds_all_its_marks(values: list[int]) -> None:
    curves = curves_of(sample(("n",), {("1",): values[:1], ("2",): values[1:]}))
    drawn = chart(curves.panels[0], curves)
    places = [
        tuple(map(float, part.split(")")[0].split(","))) for part in drawn.split("translate(")[1:]
    ]
    assert len(places) == 2
    assert all(74 <= x <= 620 and 12 <= y <= 242 for x, y in places)
