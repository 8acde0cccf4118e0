"""Tests that share something stay in one process: above all, a session has one Ray."""

import os

import pytest


@pytest.mark.xdist_group("told")
def test_groups_reach_who_deals_out_the_tests(request: pytest.FixtureRequest) -> None:
    """A pytest that pytest-xdist does not fit drops them without a word."""
    config = request.config
    if "PYTEST_XDIST_WORKER" not in os.environ or not config.getvalue("loadgroup"):
        pytest.skip("tests are not dealt out by groups")
    assert request.node.nodeid.endswith("@told")
