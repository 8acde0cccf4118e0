"""Constructors of messages: one for each, in the form that the tables describe."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from kernel import messages as m

ASKING = (m.REQ_SYSCALL, m.REQ_CONTINUE, m.REQ_USER_WORK, m.REQ_RESUME)
ABOUT_NO_TASK = ("pull_failed", "balanced", "noise", "pull", "balance", "sibling", "told", "said")
TUNES = ("comm", "cputimer", "affinity", "policy", "push", "group")


def parameters(constructor: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(constructor).parameters)


@pytest.mark.parametrize("code", sorted(m.REQUESTS))
def test_a_request_is_made_as_its_table_says(code: int) -> None:
    name, names, _ = m.REQUESTS[code]
    make = getattr(m, f"req_{name}")
    head = ["at_ns", "cpu", "seq"]
    if name not in ABOUT_NO_TASK:
        head.append("pid")
    if code in ASKING:
        head += ["utime_ns", "stime_ns", "nivcsw", "run_delay_ns"]
    assert parameters(make) == [*head, *names]
    given = {name: f"<{name}>" for name in parameters(make)}
    request = make(*given.values())
    assert request[m.R_CODE] == code
    assert [request[m.R_TIME], request[m.R_CPU], request[m.R_SEQ]] == ["<at_ns>", "<cpu>", "<seq>"]
    assert request[m.R_PID] == given.get("pid", 0)
    assert request[m.R_UTIME : m.R_ARGS] == tuple(
        given.get(name, 0) for name in ("utime_ns", "stime_ns", "nivcsw", "run_delay_ns")
    )
    assert request[m.R_ARGS :] == tuple(f"<{name}>" for name in names)


@pytest.mark.parametrize("code", sorted(set(m.EFFECTS) - {m.EFF_TUNE}))
def test_an_effect_is_made_as_its_table_says(code: int) -> None:
    name, names, _ = m.EFFECTS[code]
    make = m.arrive if code == m.ARRIVE else getattr(m, f"eff_{name}")
    head = ["at_ns"] if name in ABOUT_NO_TASK else ["at_ns", "pid"]
    assert parameters(make) == [*head, *names]
    effect = make(*(f"<{name}>" for name in parameters(make)))
    assert effect[:2] == ("<at_ns>", code)
    assert effect[2] == ("<pid>" if "pid" in head else 0)
    assert effect[3:] == tuple(f"<{name}>" for name in names)


@pytest.mark.parametrize("what", TUNES)
def test_each_change_of_a_task_has_its_own_constructor_of_the_one_effect(what: str) -> None:
    make = getattr(m, f"eff_tune_{what}")
    effect = make(5, 9, *range(len(parameters(make)) - 2))
    assert effect[:4] == (5, m.EFF_TUNE, 9, getattr(m, f"TUNE_{what.upper()}"))
    assert len(effect) == 3 + len(m.EFFECTS[m.EFF_TUNE][1])


def test_there_is_no_constructor_without_a_message() -> None:
    made = {name for name in vars(m) if name.startswith(("req_", "eff_"))}
    known = {f"req_{row[0]}" for row in m.REQUESTS.values()}
    known |= {f"eff_{row[0]}" for row in m.EFFECTS.values()}
    known |= {f"eff_tune_{what}" for what in TUNES}
    assert made == known - {"eff_arrive", "eff_tune"}


def test_no_constructor_takes_any_number_of_values() -> None:
    for name, make in vars(m).items():
        if name.startswith(("req_", "eff_")) or name == "arrive":
            kinds = {parameter.kind for parameter in inspect.signature(make).parameters.values()}
            assert kinds == {inspect.Parameter.POSITIONAL_OR_KEYWORD}, name
