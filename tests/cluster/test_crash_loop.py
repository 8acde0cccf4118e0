"""When a run that loses actors is given up because it gets nowhere."""

from cluster.crash_loop import CrashLoop


def test_a_run_that_gets_further_each_time_is_never_given_up():
    losses = CrashLoop()
    assert all(not losses.lost(superstep) and not losses.pause_s for superstep in range(50))


def test_the_third_loss_at_one_place_is_the_last():
    losses = CrashLoop()
    assert losses.lost(40) == ""
    assert losses.lost(38) == ""
    assert losses.lost(40) == "; it got no further than superstep 40, 3 times in a row"


def test_each_loss_at_one_place_is_followed_by_a_longer_pause():
    losses = CrashLoop()
    pauses = []
    for _ in range(4):
        losses.lost(7)
        pauses.append(losses.pause_s)
    assert pauses == [0.0, 1.0, 2.0, 4.0]


def test_who_has_got_further_in_between_has_all_tries_again():
    losses = CrashLoop()
    assert [losses.lost(at) for at in (5, 5, 6, 4)] == [""] * 4
    assert losses.lost(6)
