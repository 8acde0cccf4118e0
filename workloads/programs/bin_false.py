"""``false``: do nothing, unsuccessfully. Arguments are ignored."""

import os

os._exit(1)
