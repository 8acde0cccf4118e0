"""How long the engine waits, and for whom: with a clock of the test's and no Ray."""

import signal
import threading
from typing import Any

import pytest

from cluster import ray_watch
from cluster.interrupt import AT_ONCE, HOLD, NEVER, HeldInterrupt
from cluster.ray_watch import GRACE_S, ActorLost, Actors, TimeUp, Watch, within


class FakeActors(Actors):
    """Three actors; ``answers`` says what they answer, ``calls`` what they were asked."""

    def __init__(self) -> None:
        super().__init__("kernel", ["cpus"], ["cpu actor 0-3", "kernel actor"])
        self.calls: list[str] = []
        self.answers = ["alive", "alive"]
        self.running: int | None = None  # ticks of CPU time of the first, which is stopped

    def here(self, name: str) -> tuple[int, str, int] | None:
        known = self.running is not None and name == self.names[0]
        return (1, "T", self.running or 0) if known else None

    def pulse(self, method: str, only: int | None = None) -> list[Any]:
        self.calls.append(method if only is None else f"{method} {only}")
        return [0, 1] if only is None else [only]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(ray_watch, "monotonic", clock)
    return clock


@pytest.fixture
def actors(monkeypatch: pytest.MonkeyPatch) -> FakeActors:
    actors = FakeActors()
    monkeypatch.setattr(ray_watch, "_answer", lambda call: actors.answers[call])
    return actors


def watch_of(actors: FakeActors, max_wall_s: float | None = None) -> Watch:
    watch = Watch(HeldInterrupt(), max_wall_s)
    watch.actors = actors
    return watch


def test_ctrl_c_halts_the_actors_and_gives_them_up_after_the_grace(
    clock: Clock, actors: FakeActors
) -> None:
    watch = watch_of(actors)
    watch.look()
    assert "halt" not in actors.calls
    watch.interrupt.count = 1
    watch.look()
    clock.now += GRACE_S / 2
    watch.look()
    assert actors.calls.count("halt") == 1
    clock.now += GRACE_S
    with pytest.raises(KeyboardInterrupt):
        watch.look()


def test_the_limit_of_host_time_does_the_same(clock: Clock, actors: FakeActors) -> None:
    watch = watch_of(actors, 50.0)
    clock.now += 49.0
    watch.look()
    assert not watch.time_is_up()
    clock.now += 2.0
    watch.look()
    assert watch.time_is_up()
    assert actors.calls.count("halt") == 1
    clock.now += GRACE_S + 1
    with pytest.raises(TimeUp):
        watch.look()


def test_what_ended_a_run_does_not_end_the_collecting_of_its_results(
    clock: Clock, actors: FakeActors
) -> None:
    watch = watch_of(actors, 1.0)
    watch.interrupt.count = 1
    clock.now += 60.0
    watch.begin_end()
    for _ in range(5):
        clock.now += GRACE_S
        watch.look()
    watch.interrupt.count = 2
    watch.look()
    clock.now += GRACE_S + 1
    with pytest.raises(KeyboardInterrupt):
        watch.look()


def test_an_actor_that_answers_nothing_is_waited_for_and_named_once(
    clock: Clock, actors: FakeActors, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(
        ray_watch, "get_logger", lambda: type("Log", (), {"warning": said.append})()
    )
    watch = watch_of(actors)
    watch.look()
    actors.answers = ["alive", "silent"]
    for _ in range(1000):
        clock.now += 3.0
        watch.look()
    assert said == ["kernel actor does not answer, still waiting for it"]
    actors.answers = ["alive", "alive"]
    clock.now += 3.0
    watch.look()
    assert actors.calls.count("ready") == 2


def test_a_question_that_got_lost_is_asked_again(clock: Clock, actors: FakeActors) -> None:
    watch = watch_of(actors)
    watch.look()
    watch.begin_end()
    actors.answers = ["alive", "lost"]
    clock.now += 15.0
    watch.look()
    assert actors.calls == ["ready", "ready 1"]
    actors.answers = ["alive", "alive"]
    clock.now += 15.0
    watch.look()
    assert actors.calls[2:] == ["ready"]


def test_who_loses_every_question_is_done_without(clock: Clock, actors: FakeActors) -> None:
    watch = watch_of(actors)
    watch.look()
    watch.begin_end()
    actors.answers = ["alive", "lost"]
    clock.now += 15.0
    watch.look()
    clock.now += 15.0
    with pytest.raises(ActorLost, match="kernel actor does not answer"):
        watch.look()


@pytest.mark.parametrize(("ticks", "lost"), [((70, 70, 70), True), ((71, 72, 73), False)])
def test_who_is_stopped_is_lost_unless_it_still_runs_in_turns(
    clock: Clock, actors: FakeActors, ticks: tuple[int, ...], lost: bool
) -> None:
    watch = watch_of(actors)
    watch.gives_up = True
    actors.running = 70
    watch.look()
    actors.answers = ["silent", "alive"]
    seen = False
    for actors.running in ticks:
        clock.now += 3.0
        try:
            watch.look()
        except ActorLost as error:
            assert str(error) == "cpu actor 0-3 is stopped"
            seen = True
    assert seen is lost


def test_an_actor_that_answers_nothing_at_the_end_is_done_without(
    clock: Clock, actors: FakeActors
) -> None:
    watch = watch_of(actors)
    watch.look()
    watch.begin_end()
    actors.answers = ["silent", "alive"]
    clock.now += 10.0
    watch.look()
    clock.now += 15.0
    with pytest.raises(ActorLost, match="cpu actor 0-3 does not answer"):
        watch.look()


def test_a_dead_actor_and_a_dead_ray_are_told(clock: Clock, actors: FakeActors) -> None:
    watch = watch_of(actors)
    watch.look()
    actors.answers = ["dead", "alive"]
    clock.now += 3.0
    with pytest.raises(ActorLost, match="cpu actor 0-3 died"):
        watch.look()
    watch.ray_problem = lambda: "Ray's process raylet died"
    with pytest.raises(ActorLost, match="raylet"):
        watch.look()


def test_a_step_of_the_end_has_its_time_and_no_more() -> None:
    never, interrupt = threading.Event(), HeldInterrupt(NEVER)
    assert within(60.0, lambda: None, interrupt)
    assert within(60.0, lambda: 1 / 0, interrupt)  # what it raises is logged
    assert not within(0.01, never.wait, interrupt)
    never.set()


def test_ctrl_c_ends_the_wait_for_a_step_of_the_end() -> None:
    never, interrupt = threading.Event(), HeldInterrupt(NEVER)

    def pressed() -> None:
        interrupt.count += 1
        never.wait()

    assert not within(600.0, pressed, interrupt)
    never.set()


@pytest.mark.parametrize(("mode", "raised_at"), [(AT_ONCE, 1), (HOLD, 2), (NEVER, None)])
def test_ctrl_c_is_raised_when_there_is_nothing_to_keep(mode: int, raised_at: int | None) -> None:
    raised = []
    with HeldInterrupt(mode) as interrupt:
        for number in (1, 2, 3):
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                raised.append(number)
    assert interrupt.count == 3
    assert (raised[0] if raised else None) == raised_at
