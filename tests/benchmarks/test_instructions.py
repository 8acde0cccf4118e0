"""The counter of instructions reads what valgrind writes."""

import pytest

from tests.benchmarks.instructions import CannotCount, total_of


def test_the_sum_is_read_from_the_report_of_the_process_that_ended_last() -> None:
    report = "==7== I   refs:      12,345\nhello\n==6== \n==6== I refs:        1,234,567,890\n"
    assert total_of(report) == 1_234_567_890


def test_a_report_without_a_sum_is_an_error() -> None:
    with pytest.raises(CannotCount, match="no count"):
        total_of("==6== Command: true\n")
