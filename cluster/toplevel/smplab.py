"""``import smplab``: run machines and look at them from Python. See ``cluster.api``."""

from cluster.api import *  # noqa: F403  # an installed copy of this file never lags behind
from cluster.api import __all__ as __all__
