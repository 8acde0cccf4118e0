"""/sys/fs/cgroup where the host's kernel cannot be asked: the cpu controller, and what is refused.

What tests/guest/cgroup does is the same on the host; here is what the sources of Linux 6.12 say.
"""

from pathlib import Path

import pytest

from cluster.build import guest_spec, resolve
from cluster.config import load_config
from cluster.engine import run_machine
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local
from cluster.request import request_of_machine
from tests.cluster.direct_run import run_direct

HEAD = """
import errno
import os
import time

from workloads.guest import compute

ROOT = "/sys/fs/cgroup"


def read(name):
    fd = os.open(f"{ROOT}/{name}", os.O_RDONLY)
    text = os.read(fd, 65536).decode()
    os.close(fd)
    return text


def write(name, text):
    fd = os.open(f"{ROOT}/{name}", os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    except OSError as error:
        return errno.errorcode[error.errno]
    finally:
        os.close(fd)
    return "ok"


def start(group, until_s=3):
    pid = os.fork()
    if not pid:
        write(f"{group}/cgroup.procs", "0")
        while time.monotonic() < until_s:
            compute(500_000)
        print(group, int(time.process_time() * 1000), flush=True)
        os._exit(0)
    return pid
"""


STREAMS = ("stdout", "stderr")


def outcome(tmp_path: Path, text: str, **machine: object) -> str:
    """Return what a guest program writes on a machine of its own."""
    path = tmp_path / "prog.py"
    path.write_text(HEAD + text)
    spec = guest_spec(path, [], trace=False, **{"cpus": 1, **machine})
    result = run_machine(request_of_machine(spec, "exact", max_wall_s=120))
    assert result.exit_kind == DONE, result.message
    return b"".join(result.outputs.get(f"prog.py.{name}", b"") for name in STREAMS).decode()


def shares(told: str) -> dict[str, float]:
    """Return which part of the CPU each group had."""
    times: dict[str, int] = {}
    for line in told.splitlines():
        group, ms = line.split()
        times[group] = times.get(group, 0) + int(ms)
    return {group: ms / sum(times.values()) for group, ms in times.items()}


WEIGHTS = """
os.mkdir(ROOT + "/early")
print(sorted(n for n in os.listdir(ROOT + "/early") if n.startswith("cpu")))
print(write("early/cgroup.subtree_control", "+cpu"))
print(write("cgroup.subtree_control", "+cpu"), repr(read("cgroup.subtree_control")))
print(sorted(n for n in os.listdir(ROOT + "/early") if n.startswith("cpu")))
os.mkdir(ROOT + "/a")
print(repr(read("a/cgroup.controllers")), repr(read("a/cgroup.subtree_control")))
for text in ("1", "10000", "300", "0", "10001", "-1", "x", " 5", "5\\n", "0x10", str(2 ** 64)):
    print("weight", repr(text), write("a/cpu.weight", text), read("a/cpu.weight").strip(),
          read("a/cpu.weight.nice").strip())
for text in ("-20", "19", "20", "-21", "0", "5", "x"):
    print("nice", repr(text), write("a/cpu.weight.nice", text), read("a/cpu.weight").strip(),
          read("a/cpu.weight.nice").strip())
for text in ("1", "2", "-1", "x"):
    print("idle", repr(text), write("a/cpu.idle", text), read("a/cpu.idle").strip(),
          read("a/cpu.weight").strip())
print(write("a/cpu.weight", "100"), write("a/cpu.weight.nice", "0"))
print(write("a/cpu.idle", "0"), read("a/cpu.weight").strip())
for text in ("max", "max 100000"):
    print(write("a/cpu.max", text), repr(read("a/cpu.max")))
held = os.open(ROOT + "/a/cpu.weight", os.O_RDONLY)
print(write("a/cpu.weight", "55"), write("cgroup.subtree_control", "-cpu"))
print(sorted(n for n in os.listdir(ROOT + "/a") if n.startswith("cpu")))
try:
    os.read(held, 1)
except OSError as error:
    print(errno.errorcode[error.errno])
print(write("cgroup.subtree_control", "+cpu"), read("a/cpu.weight").strip())
"""
TOLD = """\
['cpu.stat']
ENOENT
ok 'cpu\\n'
['cpu.idle', 'cpu.max', 'cpu.max.burst', 'cpu.stat', 'cpu.weight', 'cpu.weight.nice']
'cpu\\n' ''
weight '1' ok 1 19
weight '10000' ok 10000 -20
weight '300' ok 300 -5
weight '0' ERANGE 300 -5
weight '10001' ERANGE 300 -5
weight '-1' EINVAL 300 -5
weight 'x' EINVAL 300 -5
weight ' 5' EINVAL 300 -5
weight '5\\n' ok 5 13
weight '0x10' ok 16 8
weight '18446744073709551616' ERANGE 16 8
nice '-20' ok 8668 -20
nice '19' ok 1 19
nice '20' ERANGE 1 19
nice '-21' ERANGE 1 19
nice '0' ok 100 0
nice '5' ok 33 5
nice 'x' EINVAL 33 5
idle '1' ok 1 1
idle '2' EINVAL 1 1
idle '-1' EINVAL 1 1
idle 'x' EINVAL 1 1
EINVAL EINVAL
ok 100
ok 'max 100000\\n'
ok 'max 100000\\n'
ok ok
['cpu.stat']
ENODEV
ok 100
"""


def test_files_of_the_cpu_controller_come_with_it_and_take_what_linux_takes(tmp_path: Path) -> None:
    assert outcome(tmp_path, WEIGHTS) == TOLD


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_groups_that_a_program_makes_share_by_weight(tmp_path: Path, fair: str) -> None:
    program = """
write("cgroup.subtree_control", "+cpu")
for group in ("a", "b", "b/c", "b/d"):
    os.mkdir(f"{ROOT}/{group}")
write("b/cgroup.subtree_control", "+cpu")
write("a/cpu.weight", "300")
write("b/d/cpu.weight.nice", "5")
pids = [start(group) for group in ("a", "a", "b/c", "b/d")]
for pid in pids:
    os.waitpid(pid, 0)
"""
    got = shares(outcome(tmp_path, program, fair=fair))
    due = {"a": 3 / 4, "b/c": 1024 / 1359 / 4, "b/d": 335 / 1359 / 4}
    assert got == pytest.approx(due, rel=0.04)


def test_without_the_controller_a_group_shares_nothing(tmp_path: Path) -> None:
    program = """
for group in ("a", "b"):
    os.mkdir(f"{ROOT}/{group}")
pids = [start(group, 1) for group in ("a", "a", "a", "b")]
for pid in pids:
    os.waitpid(pid, 0)
"""
    assert shares(outcome(tmp_path, program)) == pytest.approx({"a": 3 / 4, "b": 1 / 4}, rel=0.04)


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_who_is_moved_while_running_shares_in_its_new_group(tmp_path: Path, fair: str) -> None:
    program = """
write("cgroup.subtree_control", "+cpu")
for group in ("a", "b"):
    os.mkdir(f"{ROOT}/{group}")
pids = [start("a"), start("a"), start("b")]
time.sleep(1)
write("b/cgroup.procs", str(pids[0]))
for pid in pids:
    print(pids.index(pid), round(os.wait4(pid, 0)[2].ru_utime * 1000))
"""
    told = [line for line in outcome(tmp_path, program, fair=fair).splitlines() if line[0] in "012"]
    # a second with its neighbour in a, then two with that in b
    assert shares("\n".join(told)) == pytest.approx({"0": 1 / 4, "1": 5 / 12, "2": 1 / 3}, rel=0.04)


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_an_idle_group_has_what_the_others_leave_and_gives_way_at_once(
    tmp_path: Path, fair: str
) -> None:
    program = """
write("cgroup.subtree_control", "+cpu")
for group in ("idle", "b"):
    os.mkdir(f"{ROOT}/{group}")
write("idle/cpu.idle", "1")
pid = start("idle", 2)
write("b/cgroup.procs", "0")
worst = 0
for _ in range(100):
    due = time.monotonic_ns() + 3_333_333
    time.sleep(0.003333333)
    worst = max(worst, time.monotonic_ns() - due)
    compute(1_000_000)
print(worst < 100_000)
os.waitpid(pid, 0)
"""
    assert "True" in outcome(tmp_path, program, fair=fair).splitlines()


def test_no_processes_where_controllers_are_let_through(tmp_path: Path) -> None:
    program = """
for group in ("a", "a/b", "c", "c/d", "e", "e/f"):
    os.mkdir(f"{ROOT}/{group}")
held = os.pipe()
pids = []
for group in ("a/b", "c/d", "c", "e"):
    pid = os.fork()
    if not pid:
        os.close(held[1])
        write(f"{group}/cgroup.procs", "0")
        os.read(held[0], 1)
        os._exit(0)
    pids.append(pid)
time.sleep(0.1)
print(write("cgroup.subtree_control", "+cpu"))
print(write("a/cgroup.subtree_control", "+cpu"), write("a/cgroup.procs", str(pids[3])))
print(write("c/cgroup.subtree_control", "+cpu"), read("c/cgroup.type").strip())
print(write("e/cgroup.subtree_control", "+cpu"), read("e/cgroup.type").strip(),
      read("e/f/cgroup.type").strip())
print(write("e/f/cgroup.procs", str(pids[3])), write("e/f/cgroup.type", "threaded"))
print(write("e/f/cgroup.threads", str(pids[3])), read("e/cgroup.type").strip())
print(write("e/f/cpu.weight", "200"), write("cgroup.subtree_control", "-cpu"))
os.close(held[1])
for pid in pids:
    os.waitpid(pid, 0)
"""
    assert outcome(tmp_path, program).splitlines() == [
        "ok",
        "ok EBUSY",
        "EBUSY domain",
        "ok domain threaded domain invalid",
        "ENOTSUP ok",
        "ok domain threaded",
        "ok EBUSY",
    ]


def test_cpu_time_of_a_group_is_that_of_all_that_were_in_it(tmp_path: Path) -> None:
    program = """
def usage(group):
    return int(read(f"{group}/cpu.stat").split()[1]) // 1000

for group in ("a", "a/b", "c"):
    os.mkdir(f"{ROOT}/{group}")
for group in ("a", "a/b", "c"):
    pid = os.fork()
    if not pid:
        compute(100_000_000)
        write(f"{group}/cgroup.procs", "0")
        compute(50_000_000)
        os._exit(0)
    os.waitpid(pid, 0)
print(usage("a"), usage("a/b"), usage("c"), usage("") >= 450)
os.rmdir(ROOT + "/a/b")
print(usage("a"))
"""
    assert outcome(tmp_path, program).splitlines() == ["100 50 50 True", "100"]


REFUSED = [
    ('write("cgroup.subtree_control", "+memory")', "of the controllers of cgroups cpu is emulated"),
    ('write("a/cgroup.freeze", "1")', "groups cannot be frozen"),
]


@pytest.mark.parametrize(("call", "said"), REFUSED)
def test_what_is_not_emulated_is_refused(tmp_path: Path, call: str, said: str) -> None:
    text = f'write("cgroup.subtree_control", "+cpu")\nos.mkdir(ROOT + "/a")\n{call}\n'
    assert said in outcome(tmp_path, text)


NOTHING = """
for call, path in ((os.listdir, ROOT), (os.stat, "/sys"), (os.stat, "/proc/self/cgroup")):
    try:
        call(path)
    except OSError as error:
        print(errno.errorcode[error.errno])
print("cgroup2" in open("/proc/mounts").read())
"""


@pytest.mark.parametrize("machine", [{"linux": "2.6.34"}, {"fair": "o1"}])
def test_where_there_are_no_groups_there_is_no_file_system_of_them(
    tmp_path: Path, machine: dict[str, str]
) -> None:
    assert outcome(tmp_path, NOTHING, **machine).splitlines() == ["ENOENT"] * 3 + ["False"]


CONFIGURED = """
name: configured
machine: {cpus: 2}
cgroups:
  web/db: {cpu.weight.nice: 5}
  web: {cpu.weight: 300}
workloads:
  - {program: ./prog.py, cgroup: web/db}
"""


def test_groups_of_the_configuration_are_there(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(
        HEAD
        + """
print(open("/proc/self/cgroup").read().strip(), read("web/db/cgroup.procs") == f"{os.getpid()}\\n")
print(read("web/cpu.weight").strip(), read("web/db/cpu.weight.nice").strip())
print(repr(read("cgroup.subtree_control")), repr(read("web/cgroup.subtree_control")))
print(write("web/cgroup.procs", "0"), write("cgroup.procs", "0"))
os.rmdir(ROOT + "/web/db")
os.rmdir(ROOT + "/web")
print(open("/proc/self/cgroup").read().strip())
"""
    )
    path = tmp_path / "configured.yaml"
    path.write_text(CONFIGURED)
    result = run_machine(request_of_machine(resolve(load_config(path)), "exact", max_wall_s=120))
    assert result.exit_kind == DONE, result.message
    assert result.outputs["prog.stdout"].decode().splitlines() == [
        "0::/web/db True",
        "300 5",
        "'cpu\\n' 'cpu\\n'",
        "EBUSY ok",
        "0::/",
    ]


MOVING = """
from workloads import guest

write("cgroup.subtree_control", "+cpu")
for group in ("a", "b", "b/c"):
    os.mkdir(f"{ROOT}/{group}")
write("a/cpu.weight", "400")
write("b/cpu.idle", "1")
pids = []
for number in range(8):
    fd = os.open(ROOT + ("/a", "/b/c")[number % 2], os.O_RDONLY)
    pid = guest.clone3(0, cgroup=fd)
    if not pid:
        for _ in range(20):
            compute(500_000)
        os._exit(0)
    os.close(fd)
    pids.append(pid)
for pid in pids[:3]:
    write("b/c/cgroup.procs", str(pid))
write("b/cgroup.subtree_control", "+cpu")
time.sleep(0.005)
write("cgroup.subtree_control", "-cpu")
for pid in pids:
    os.waitpid(pid, 0)
print(read("a/cpu.stat"), read("b/cpu.stat"))
"""


@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_groups_change_while_cpus_run_and_the_bytes_are_the_same_however_packed(
    tmp_path: Path, granularity: str
) -> None:
    path = tmp_path / "prog.py"
    path.write_text(HEAD + MOVING)
    spec = guest_spec(path, [], cpus=4, granularity=granularity, check=True)
    whole = run_local(RunRequest(spec, scheme="barrier"))
    assert whole.exit_kind == DONE, whole.message
    assert not whole.outputs.get("prog.py.stderr")
    for per_actor in (1, 2, 4):
        request = RunRequest(spec, scheme="barrier", cpus_per_actor=per_actor)
        assert run_direct(request).digest == whole.digest
