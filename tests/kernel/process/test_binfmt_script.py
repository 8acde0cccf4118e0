"""The first line of a script, as the kernel reads it."""

import pytest

from kernel.process.binfmt_script import BINPRM_BUF_SIZE, load_script


@pytest.mark.parametrize(
    ("start", "found"),
    [
        (b"", None),
        (b"text", None),
        (b" #!/bin/sh\n", None),
        (b"#!\n", None),
        (b"#! \t \n", None),
        (b"#!/bin/sh", ("/bin/sh", "")),
        (b"#!/bin/sh\n", ("/bin/sh", "")),
        (b"#!  /bin/sh  \n", ("/bin/sh", "")),
        (b"#!/bin/sh\r\n", ("/bin/sh\r", "")),
        (b"#!\t/bin/sh\t-e  -x \t\nrest", ("/bin/sh", "-e  -x")),
        (b"#!/bin/sh -e\0 -x\n", ("/bin/sh", "-e")),
        (b"#!/bin/sh\0/x\n", ("/bin/sh", "")),
        (b"#!", ("", "")),
        (b"#!\0\n", ("", "")),
    ],
)
def test_a_first_line_names_an_interpreter_and_one_argument(start, found):
    assert load_script(start) == found


def test_a_name_that_may_be_cut_off_is_no_script():
    assert load_script((b"#!/" + b"x" * 300)[:BINPRM_BUF_SIZE]) is None
    assert load_script((b"#!" + b" " * 300)[:BINPRM_BUF_SIZE]) is None


def test_an_argument_may_be_cut_off():
    found = load_script((b"#!/bin/echo " + b"x" * 300)[:BINPRM_BUF_SIZE])
    assert found == ("/bin/echo", "x" * (BINPRM_BUF_SIZE - 1 - 12))
