"""``vm.slab: pages``: structures have page frames of their own, and nothing else changes."""

from pathlib import Path

from tests.cluster.small_storm import small_storm


def test_plain_allocation_takes_more_frames_and_the_same_time(tmp_path: Path) -> None:
    caches = small_storm(tmp_path, check=True)
    pages = small_storm(tmp_path, check=True, **{"vm.slab": "pages"})
    assert (caches.exit_kind, pages.exit_kind) == ("done", "done")
    assert pages.summary["peaks"]["frames"] > caches.summary["peaks"]["frames"]
    assert pages.summary["run"]["virtual_ns"] == caches.summary["run"]["virtual_ns"]
