"""What CPython's exception is where the kernel answers a call with a record of a failure."""

import pytest

from kernel.uapi.failure import NOT_LOCKED, Error, failed, refused
from workloads.language.exception_values import make_exception


@pytest.mark.parametrize(
    ("error", "like"),
    [
        (failed(10), ChildProcessError(10, "No child processes")),
        (failed(2, "/x"), FileNotFoundError(2, "No such file or directory", "/x")),
        (failed(18, "/x", "/y"), OSError(18, "Invalid cross-device link", "/x", None, "/y")),
        (failed(2, ""), FileNotFoundError(2, "No such file or directory", "")),
        (failed(4095), OSError(4095, "Unknown error 4095")),
        (refused("clone() of that"), NotImplementedError("clone() of that")),
        ((NOT_LOCKED, None, None), RuntimeError("release unlocked lock")),
    ],
)
def test_a_failure_becomes_the_exception_that_cpython_raises(
    error: Error, like: BaseException
) -> None:
    made = make_exception(error)
    assert type(made) is type(like)
    assert str(made) == str(like)
    assert made.args == like.args
    assert getattr(made, "filename", None) == getattr(like, "filename", None)
    assert getattr(made, "filename2", None) == getattr(like, "filename2", None)
