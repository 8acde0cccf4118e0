"""What the kernel does with a request that it does not know."""

from typing import Any

import pytest

from kernel.errors import InvariantError


@pytest.mark.parametrize("code", [0, 50, 99])
def test_a_request_that_there_is_not_is_refused_by_name(machine: Any, code: int) -> None:
    with pytest.raises(InvariantError, match=rf"kernel: no such message: \(.*, {code}, "):
        machine.send(machine.first, code, "what", "ever")
