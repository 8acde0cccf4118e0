"""Runs on a real Ray: the local engine's bytes, and every way a run can end badly."""

import gc
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster import engine_api, ray_watch
from cluster.build import guest_spec
from cluster.engine_api import RunRequest
from cluster.interrupt import HeldInterrupt
from cluster.local_engine import run_local
from cluster.ray_engine import run_ray
from cluster.transport.ray_graph import GraphLink

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("local_ray")]

Make = Callable[..., RunRequest]
FOUR = "machine: {cpus: 4}\n"
# what a host says that has more to do than it can; the run goes on
_SLOW_HOST = re.compile(r"does not answer, still waiting|lost a message, going on")
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("cpus_per_actor", [1, 2, 4])
@pytest.mark.parametrize(
    "workload", ["storm", "thread_group_exit", "prefork_server", "cow_touch", "unequal_work"]
)
def test_ray_gives_the_bytes_of_the_local_engine(
    make_request: Make, workload: str, cpus_per_actor: int
) -> None:
    local = run_local(make_request(workload, config=FOUR))
    on_ray = run_ray(make_request(workload, config=FOUR, cpus_per_actor=cpus_per_actor))
    assert (on_ray.exit_kind, on_ray.message) == (engine_api.DONE, "")
    assert on_ray.statuses == local.statuses
    assert on_ray.outputs == local.outputs
    assert on_ray.digest == local.digest


@pytest.mark.parametrize(
    ("workload", "link"),
    [("vfork_storm", "shm"), ("vfork_storm", "graph"), ("cow_touch", "graph"), ("storm", "calls")],
)
def test_every_link_gives_the_same_files_as_the_local_engine(
    make_request: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workload: str, link: str
) -> None:
    monkeypatch.setattr("cluster.ray_engine._HELD_BYTES", 0)
    folders = [tmp_path / "local", tmp_path / "ray"]
    for folder in folders:
        folder.mkdir()
    local = run_local(make_request(workload, config=FOUR, out_dir=folders[0]))
    on_ray = run_ray(
        make_request(
            workload,
            config=FOUR,
            out_dir=folders[1],
            cpus_per_actor=2,
            link=link,
        )
    )
    assert on_ray.digest == local.digest
    for name in ("trace.smpt", "outputs.smpo"):
        assert (folders[1] / name).read_bytes() == (folders[0] / name).read_bytes()


@pytest.mark.parametrize("link, cpus_per_actor", [("shm", 4), ("shm", 1), ("calls", 2)])
@pytest.mark.parametrize("workload", ["storm", "thread_group_exit"])
def test_two_halves_in_turn_give_the_files_of_the_local_engine(
    make_request: Make, tmp_path: Path, workload: str, link: str, cpus_per_actor: int
) -> None:
    folders = [tmp_path / "local", tmp_path / "ray"]
    for folder in folders:
        folder.mkdir()
    options = {"config": FOUR, "scheme": "redblack", "quantum_ns": 20_000}
    local = run_local(make_request(workload, out_dir=folders[0], **options))
    on_ray = run_ray(
        make_request(
            workload, out_dir=folders[1], cpus_per_actor=cpus_per_actor, link=link, **options
        )
    )
    assert (on_ray.exit_kind, on_ray.message) == (engine_api.DONE, "")
    assert on_ray.digest == local.digest
    for name in ("trace.smpt", "outputs.smpo"):
        assert (folders[1] / name).read_bytes() == (folders[0] / name).read_bytes()


LARGE_WRITES = """
import os

r, w = os.pipe()
if os.fork() == 0:
    os.close(r)
    data = bytes(900000)
    while data:
        data = data[os.write(w, data) :]
    os._exit(0)
os.close(w)
count = 0
while True:
    piece = os.read(r, 1000000)
    if not piece:
        break
    count += len(piece)
print(count, os.wait()[1])
"""


def semaphores() -> set[str]:
    """Return what there is in /dev/shm of the channels of this session's Ray."""
    raylets = {
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/comm")
        if command_of(path) == "raylet" and is_ours(path.parent)
    }
    return {
        path.name
        for path in Path("/dev/shm").glob("sem.*")
        if path.name.removeprefix("sem.")[3:].split("-")[0] in raylets
    }


def command_of(comm: Path) -> str:
    try:
        return comm.read_text().strip()
    except OSError:  # it has ended
        return ""


def test_frames_larger_than_a_channel_go_through_and_the_graph_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray replaces a channel that is too small, and does not close the new one at the end."""
    torn_down = []
    before = semaphores()  # of runs whose actors were killed

    def within(seconds: float, function: Callable[[], None], interrupt: HeldInterrupt) -> bool:
        torn_down.append(ray_watch.within(60.0, function, interrupt))
        return torn_down[-1]

    monkeypatch.setattr("cluster.transport.ray_graph.within", within)
    program = tmp_path / "large.py"
    program.write_text(LARGE_WRITES)

    def request() -> RunRequest:
        spec = guest_spec(program, [], cpus=4)
        return RunRequest(spec=spec, scheme="barrier", cpus_per_actor=4, link="graph")

    local, on_ray = run_local(request()), run_ray(request())
    halves = replace(request(), scheme="redblack", link="shm", cpus_per_actor=2)
    assert run_ray(halves).digest == run_local(halves).digest
    assert next(iter(local.outputs.values())) == b"900000 0\n"
    assert (on_ray.exit_kind, on_ray.message) == (engine_api.DONE, "")
    assert on_ray.digest == local.digest
    assert torn_down == [True, True]
    assert semaphores() <= before


@pytest.mark.parametrize("heard", [False, True])
def test_a_message_that_the_graph_loses_is_made_up_for_by_calls(
    make_request: Make, monkeypatch: pytest.MonkeyPatch, heard: bool
) -> None:
    """Either the actors never get the frame, or their answer never comes."""
    monkeypatch.setattr("cluster.ray_watch.STANDSTILL_S", 0.2)
    rounds: list[int] = []

    def execute(link: GraphLink, frame: bytes) -> bytes | None:
        rounds.append(1)
        if len(rounds) < 3:
            return whole(link, frame)
        if heard:
            whole(link, frame)
        standstill = ray_watch.Standstill(link._actors)
        while not standstill.seen():
            time.sleep(0.01)  # between two looks
        return None

    whole = GraphLink._execute
    monkeypatch.setattr(GraphLink, "_execute", execute)
    local = run_local(make_request("storm", config=FOUR))
    on_ray = run_ray(make_request("storm", config=FOUR, link="graph"))
    assert (on_ray.exit_kind, on_ray.message) == (engine_api.DONE, "")
    assert len(rounds) == 3
    assert on_ray.digest == local.digest


def test_a_graph_that_is_never_left_takes_nothing_from_a_run_that_is_whole(
    make_request: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    gc.collect()  # graphs of runs before, which are torn down when they go
    monkeypatch.setattr("cluster.transport.ray_graph._TEARDOWN_S", 0.1)
    monkeypatch.setattr("ray.dag.compiled_dag_node.CompiledDAG.teardown", lambda graph: hang())
    released = threading.Event()

    kernels: list[int] = []

    def hang() -> None:
        kernels.extend(os.pidfd_open(pid) for pid in actor_processes("KernelActor"))
        released.wait()

    local = run_local(make_request("storm", config=FOUR))
    try:
        on_ray = run_ray(make_request("storm", config=FOUR, cpus_per_actor=4, link="graph"))
    finally:
        released.set()  # a graph that a failure leaves behind is torn down, too
    assert (on_ray.exit_kind, on_ray.message) == (engine_api.DONE, "")
    assert on_ray.digest == local.digest
    [kernel] = kernels
    assert select.select([kernel], [], [], 30.0)[0] == [kernel]  # it has ended
    os.close(kernel)


@pytest.mark.parametrize("link", ["shm", "graph", "calls"])
def test_an_actor_that_is_silent_for_a_while_is_waited_for(
    make_request: Make, monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    """It is continued after the engine has looked after it some times."""
    looks = []
    stopped: list[int] = []
    look = ray_watch.Watch.look

    def counted(watch: ray_watch.Watch) -> None:
        looks.append(len(stopped))
        if stopped and looks.count(1) == 4:
            os.kill(stopped[0], signal.SIGCONT)
        look(watch)

    def stop(virtual_ns: int, counters: dict[str, int]) -> None:
        if not stopped:
            stopped.extend(actor_processes("KernelActor"))
            os.kill(stopped[0], signal.SIGSTOP)

    monkeypatch.setattr("cluster.ray_watch.Watch.look", counted)

    def request(**changes: Any) -> RunRequest:
        return make_request("storm", config=FOUR, quantum_ns=5_000, cpus_per_actor=4, **changes)

    local = run_local(request())
    on_ray = run_ray(request(link=link, on_progress=stop))
    assert looks.count(1) >= 4
    assert (on_ray.exit_kind, on_ray.message) == (engine_api.DONE, "")
    assert on_ray.digest == local.digest


def test_ctrl_c_while_an_actor_is_silent_gives_it_up(make_request: Make) -> None:
    stopped: list[int] = []

    def stop(virtual_ns: int, counters: dict[str, int]) -> None:
        stopped.extend(actor_processes("KernelActor"))
        os.kill(stopped[0], signal.SIGSTOP)
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()

    result = run_ray(
        make_request("storm", config=FOUR, quantum_ns=5_000, cpus_per_actor=4, on_progress=stop)
    )
    assert (result.exit_kind, result.message) == (engine_api.INTERRUPTED, "stopped by Ctrl-C")
    os.kill(stopped[0], signal.SIGCONT)  # what is killed while it is stopped dies then
    assert run_ray(make_request("cow_touch", cpus_per_actor=8)).exit_kind == engine_api.DONE


def test_the_limit_of_host_time_ends_a_run_with_what_is_there(
    make_request: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[int] = []
    monkeypatch.setattr("cluster.ray_watch.Watch.time_is_up", lambda watch: bool(passed))
    result = run_ray(
        make_request(
            "storm",
            config=FOUR,
            quantum_ns=5_000,
            cpus_per_actor=4,
            on_progress=lambda virtual_ns, counters: passed.append(virtual_ns),
        )
    )
    assert (result.exit_kind, result.message) == (
        engine_api.LIMIT,
        "the wall-clock limit was reached",
    )
    assert result.digest.startswith("sha256:")


def test_the_wall_block_says_where_host_time_went(make_request: Make) -> None:
    wall = run_ray(make_request("storm", config=FOUR, cpus_per_actor=4)).wall
    for name in ("encode_ns", "ray_wait_ns", "kernel_ns", "cpu_ns", "guest_ns"):
        assert wall[name] > 0, name


def test_a_run_leaves_no_objects_to_the_next_one(make_request: Make) -> None:
    def objects_after_a_run() -> int:
        request = make_request("storm", config=FOUR, cpus_per_actor=2)
        assert run_ray(request).exit_kind == engine_api.DONE
        del request
        gc.collect()
        return len(gc.get_objects())

    objects_after_a_run()  # what is loaded once is by then
    before = objects_after_a_run()
    few = 100  # by chance; a class that Ray is given has 600
    assert objects_after_a_run() < before + few


def actor_processes(name: str) -> Iterator[int]:
    """Yield the process ids of this session's actors of one class."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
            if command.startswith(b"ray::" + name.encode()) and is_ours(path):
                yield int(path.name)
        except OSError:
            continue


def is_ours(path: Path, ancestor: int = 0) -> bool:
    """Tell whether a process descends from this one, or from ``ancestor``."""
    while True:
        parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        if parent == (ancestor or os.getpid()):
            return True
        if parent <= 1:
            return False
        path = Path("/proc") / str(parent)


@pytest.mark.parametrize("link", ["shm", "graph", "calls"])
@pytest.mark.parametrize(
    ("victim", "name"), [("CpuActor", "cpu actor 0-3"), ("KernelActor", "kernel actor")]
)
def test_a_killed_actor_ends_the_run_with_its_name(
    make_request: Make,
    capfd: pytest.CaptureFixture[str],
    victim: str,
    name: str,
    link: str,
) -> None:
    killed = []

    def kill(virtual_ns: int, counters: dict[str, int]) -> None:
        if not killed:
            killed.extend(actor_processes(victim))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    result = run_ray(
        make_request(
            "storm",
            config=FOUR,
            quantum_ns=5_000,
            cpus_per_actor=4,
            link=link,
            on_progress=kill,
        )
    )
    assert len(killed) == 1
    assert (result.exit_kind, result.message) == (engine_api.BROKEN, f"{name} died")
    time.sleep(1.0)  # what Ray has to say comes late
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_ends_the_run_at_a_superstep_and_leaves_ray_usable(make_request: Make) -> None:
    def stop(virtual_ns: int, counters: dict[str, int]) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    result = run_ray(
        make_request("storm", config=FOUR, quantum_ns=5_000, cpus_per_actor=4, on_progress=stop)
    )
    assert (result.exit_kind, result.message) == (engine_api.INTERRUPTED, "stopped by Ctrl-C")
    assert result.digest.startswith("sha256:")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    import ray

    assert ray.is_initialized()
    assert run_ray(make_request("cow_touch", cpus_per_actor=8)).exit_kind == engine_api.DONE


PROGRAM = """
import sys
from pathlib import Path
from cluster.build import resolve
from cluster.config import parse_config
from cluster.engine_api import RunRequest
from cluster.ray_engine import run_ray
from cluster.transport.ray_graph import GraphLink

text = sys.stdin.read()
for address in sys.argv[1:]:
    spec = resolve(parse_config("c.yaml", text, Path(".")))
    request = RunRequest(spec=spec, scheme="barrier", address=address, cpus_per_actor=2)
    if address == "running":
        request.address = "local"
        request.on_progress = lambda virtual_ns, counters: print("running", flush=True)
    result = run_ray(request)
    print(result.exit_kind, result.message, flush=True)
    import ray
    assert not ray.is_initialized() or result.exit_kind == "broken"
"""


def run_alone(*addresses: str, **environment: str) -> "subprocess.Popen[str]":
    """Start a process that runs the small storm on Ray at each address."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *addresses],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**clean, **environment},
        start_new_session=True,
    )


def storm(config: str = FOUR) -> str:
    return (
        f"name: test\n{config}workloads: [{{program: fork_exec_storm, params: "
        "{parents: 4, children: 4}}]\n"
    )


def test_a_ray_of_its_own_is_started_and_stopped_twice_in_silence(tmp_path: Path) -> None:
    """Whatever RAY_ADDRESS says; and no token is left in the user's home."""
    process = run_alone(
        "local", "local", RAY_ADDRESS="127.0.0.1:1", HOME=str(tmp_path), PYTHONPATH=str(ROOT)
    )
    out, err = process.communicate(storm(), timeout=180)
    assert [line for line in err.splitlines() if not _SLOW_HOST.search(line)] == []
    assert out == "done \ndone \n"
    assert not (tmp_path / ".ray").exists()


def test_a_cluster_that_is_not_there_is_one_line() -> None:
    process = run_alone("auto", "127.0.0.1:1", RAY_ADDRESS="127.0.0.1:1")
    out, err = process.communicate(storm(), timeout=120)
    assert err == ""
    assert out == (
        "broken Ray cannot be reached at auto: [Errno 111] Connection refused\n"
        "broken Ray cannot be reached at 127.0.0.1:1: [Errno 111] Connection refused\n"
    )


def test_an_address_is_joined_and_left_running(make_request: Make) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address
    process = run_alone(
        address,
        "auto",
        RAY_ADDRESS=address,
        **{name: value for name, value in os.environ.items() if name.startswith("RAY_AUTH")},
    )
    out, err = process.communicate(storm(), timeout=180)
    assert [line for line in err.splitlines() if not _SLOW_HOST.search(line)] == []
    assert out == "done \ndone \n"
    assert run_ray(make_request("cow_touch", cpus_per_actor=8)).exit_kind == engine_api.DONE


def test_ctrl_c_on_a_terminal_reaches_the_engine_only() -> None:
    """SIGINT goes to the whole process group, as a terminal sends it."""
    process = run_alone("running")
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(storm().replace("children: 4", "children: 100000"))
    process.stdin.close()
    process.stdin = None
    assert process.stdout.readline() == "running\n"
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert err == ""
    assert out.splitlines()[-1] == "interrupted stopped by Ctrl-C"
    assert process.returncode == 0


def test_a_ray_whose_control_service_dies_is_one_line() -> None:
    """Ray itself would wait for a minute, and then end this process."""
    process = run_alone("running")
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(storm().replace("children: 4", "children: 100000"))
    process.stdin.close()
    process.stdin = None
    assert process.stdout.readline() == "running\n"
    [service] = [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/comm")
        if command_of(path) == "gcs_server" and is_ours(path.parent, process.pid)
    ]
    os.kill(service, signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert err == ""
    assert out.splitlines()[-1] == "broken Ray's process gcs_server died"
    assert process.returncode == 0
