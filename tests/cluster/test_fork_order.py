"""Who runs first after a fork, on whole machines of one CPU: as each class did it, or as asked."""

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import LocalRun

FORK = """import os

pid = os.fork()
os.write(1, b"parent " if pid else b"child ")
if not pid:
    os._exit(0)
os.wait()
"""
THREAD = """import _thread
import os
import time


def work():
    os.write(1, b"child ")


_thread.start_new_thread(work, ())
os.write(1, b"parent ")
time.sleep(0.1)
"""


def order(tmp_path, text, **fields):
    path = tmp_path / "first.py"
    path.write_text(text, "utf-8")
    result = LocalRun(RunRequest(guest_spec(path, [], cpus=1, **fields))).run()
    assert result.exit_kind == DONE, result.message
    return result.outputs["first.py.stdout"].decode().split()


@pytest.mark.parametrize(
    ("fair", "text", "first"),
    [
        ("eevdf", FORK, "parent"),
        ("cfs", FORK, "parent"),
        ("o1", FORK, "child"),
        ("eevdf", THREAD, "parent"),
        ("cfs", THREAD, "parent"),
        ("o1", THREAD, "parent"),
    ],
)
def test_by_default_it_is_as_linux_did_it(tmp_path, fair, text, first):
    assert order(tmp_path, text, fair=fair)[0] == first


@pytest.mark.parametrize("fair", ["eevdf", "cfs", "o1"])
@pytest.mark.parametrize(("word", "first"), [("on", "child"), ("off", "parent")])
def test_each_class_does_as_it_is_told(tmp_path, fair, word, first):
    assert order(tmp_path, FORK, fair=fair, child_runs_first=word)[0] == first
