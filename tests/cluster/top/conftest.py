"""A run to be watched."""

from pathlib import Path

import pytest
import smplab

from tests.cluster.small_storm import small_storm


@pytest.fixture(scope="session")
def storm(tmp_path_factory: pytest.TempPathFactory) -> smplab.Run:
    """A small storm that is over."""
    return small_storm(tmp_path_factory.mktemp("top"))


@pytest.fixture(scope="session")
def untraced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run without a trace."""
    return small_storm(tmp_path_factory.mktemp("top"), **{"trace.enabled": False}).path
