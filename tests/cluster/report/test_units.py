import pytest

from cluster.report.units import format_ns, parse_ns


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1000, "1.000 us"),
        (50_175, "50.17 us"),
        (999_999, "999.9 us"),
        (1_250_000, "1.250 ms"),
        (12_345_678_901, "12.34 s"),
        (4_000_000_000_000, "4,000 s"),
        (-1_500, "-1.500 us"),
    ],
)
def test_times_have_about_four_digits(time_ns: int, text: str) -> None:
    assert format_ns(time_ns) == text


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [("50us", 50_000), ("1.5ms", 1_500_000), ("0.25", 250_000_000), ("2 s", 2 * 10**9), ("7ns", 7)],
)
def test_times_are_read_with_their_units(text: str, time_ns: int) -> None:
    assert parse_ns(text) == time_ns


@pytest.mark.parametrize("text", ["", "x", "5m", "-1s", "1e3", "0.5ns", "0.0000000001", "٣s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|nanoseconds"):
        parse_ns(text)
