"""A few mutants of guest programs and configurations; ``make soak`` tries thousands."""

from tests.oracle.mutants import config_findings, program_findings


def test_no_mutant_of_a_program_ends_in_a_traceback() -> None:
    assert program_findings(60, seed=1) == []


def test_no_mutant_of_a_configuration_ends_in_a_traceback() -> None:
    assert config_findings(150, seed=1) == []
