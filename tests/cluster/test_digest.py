from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.digest import RunDigest, canonical_json, digested_part, short_digest
from cluster.trace import encode_chunk

CHUNKS = [encode_chunk([(time_ns, 12, pid, "a") for pid in range(3)]) for time_ns in range(4)]
SUMMARY: dict[str, Any] = {"run": {"virtual_ns": 5}, "locks": [{"name": "siglock"}]}


def digest_of(order: list[tuple[int, int]], summary: dict[str, Any] = SUMMARY) -> str:
    digest = RunDigest(["cpu0", "kernel"])
    for lp, chunk in order:
        digest.update(lp, CHUNKS[chunk])
    return digest.finish(summary)


def test_the_digest_is_the_one_it_always_was() -> None:
    assert digest_of([(0, 0), (1, 1), (0, 2)]) == (
        "sha256:bd45268a2a52c203d764215229b5f2de7c45a368099a95d71da54a563e680bbb"
    )


def test_how_chunks_of_different_processes_interleave_does_not_matter() -> None:
    assert digest_of([(0, 0), (1, 1), (0, 2)]) == digest_of([(1, 1), (0, 0), (0, 2)])


@pytest.mark.parametrize(
    "order",
    [
        [(0, 2), (1, 1), (0, 0)],
        [(0, 0), (0, 1), (0, 2)],
        [(0, 0), (1, 1)],
        [(0, 0), (1, 1), (0, 3)],
        [],
    ],
)
def test_any_other_record_order_or_place_gives_another_digest(order: list[tuple[int, int]]) -> None:
    assert digest_of(order) != digest_of([(0, 0), (1, 1), (0, 2)])


def test_host_times_and_the_digest_itself_do_not_count() -> None:
    measured = {**SUMMARY, "wall": {"total_ns": 1}, "digest": "sha256:0"}
    assert digest_of([(0, 0)], measured) == digest_of([(0, 0)])
    assert digested_part(measured) == SUMMARY
    assert digest_of([(0, 0)], {**SUMMARY, "more": 1}) != digest_of([(0, 0)])


def test_a_copy_goes_its_own_way() -> None:
    digest = RunDigest(["cpu0"])
    digest.update(0, CHUNKS[0])
    saved = digest.copy()
    digest.update(0, CHUNKS[1])
    assert saved.finish({}) != digest.finish({})
    saved.update(0, CHUNKS[1])
    assert saved.finish({}) == digest.finish({})


def test_the_short_form_is_a_beginning_of_the_long_one() -> None:
    digest = digest_of([(0, 0)])
    assert digest.startswith(short_digest(digest))
    assert len(short_digest(digest)) == len("sha256:") + 16


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.integers())))
def test_canonical_json_does_not_depend_on_the_order_of_keys(data: dict[str, Any]) -> None:
    assert canonical_json(data) == canonical_json(dict(reversed(data.items())))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a": {"b": [1, 2.5]}}, r"a\.b\[1\]: float 2\.5 has no canonical form"),
        ({"a": {3: 1}}, "a: key 3 is no string"),
        ({"a": {1, 2}}, "a: set .* has no canonical form"),
        (b"", "top: bytes"),
    ],
)
def test_what_has_no_canonical_form_is_refused_with_its_place(data: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        canonical_json(data)
