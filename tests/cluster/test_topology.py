"""``machine.topology``: what numbers, names and files mean, what is refused, and whole machines."""

from pathlib import Path

import pytest

from cluster.build import guest_spec, resolve
from cluster.cli.main import run_command
from cluster.config import ConfigError, parse_config
from cluster.config.topology import by_numbers
from cluster.config.topology_files import read_topology
from cluster.config.topology_models import PROCESSORS, topology_named
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local
from kernel.machine import MachineSpec
from kernel.smp.topology import Topology, build
from tests.cluster.direct_run import run_direct

TAIL = "\nworkloads: [{program: cow_touch}]\n"

TABLE = """CPU NODE SOCKET CORE L1d:L1i:L2:L3 ONLINE
  0    0      0    0 0:0:0:0          yes
  1    0      0    1 1:1:1:0          yes
  2    1      1    2 2:2:2:1          yes
  3    1      1    3 3:3:3:1          yes
  4    0      0    0 0:0:0:0          yes
  5    0      0    1 1:1:1:0          yes
  6    1      1    2 2:2:2:1          yes
  7    1      1    3 3:3:3:1          yes
  8    -      -    - -                 no
"""

JSON = """{"cpus": [
  {"cpu": 0, "node": 0, "socket": 0, "core": 0, "l1d:l1i:l2:l3": "0:0:0:0"},
  {"cpu": 1, "node": 0, "socket": 0, "core": 0, "l1d:l1i:l2:l3": "0:0:0:0"}
]}
"""

XML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE topology SYSTEM "hwloc2.dtd">
<topology version="2.0">
  <object type="Machine" os_index="0" cpuset="0x0000000f">
    <object type="Package" os_index="0">
      <object type="NUMANode" os_index="0" cpuset="0x00000003"/>
      <object type="L3Cache" depth="3"><object type="L2Cache" depth="2">
        <object type="Core" os_index="0">
          <object type="PU" os_index="0"/><object type="PU" os_index="1"/>
        </object></object></object>
    </object>
    <object type="Package" os_index="1">
      <object type="NUMANode" os_index="1" cpuset="0x0000000c"/>
      <object type="L3Cache" depth="3">
        <object type="Core" os_index="0"><object type="PU" os_index="2"/></object>
        <object type="Core" os_index="1"><object type="PU" os_index="3"/></object>
      </object>
    </object>
  </object>
  <distances2 type="NUMANode" nbobjs="2" kind="5" name="NUMALatency" indexing="os">
    <indexes length="4">0 1 </indexes>
    <u64values length="12">10 21 21 10 </u64values>
  </distances2>
  <cpukind cpuset="0x00000003"><info name="LinuxCapacity" value="512"/></cpukind>
</topology>
"""


DISTANCES = [
    "m:20:3: distances: must be more than 10 (got 9)",
    "m:20:3: distances: must be 9, as in the other direction (got 21)",
]


def machine(text: str, folder: Path = Path()) -> MachineSpec:
    return resolve(parse_config("c.yaml", text + TAIL, folder))


def problems(text: str, folder: Path = Path()) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config("c.yaml", text + TAIL, folder)
    return [str(problem) for problem in caught.value.problems]


def shape(topology: Topology) -> list[tuple[str, int, int]]:
    """Name, number and size of the domains of each level."""
    return [
        (level.name, len(set(level.spans)), level.spans[0].bit_count()) for level in topology.levels
    ]


def built(spec: MachineSpec) -> Topology:
    return build(spec.places, spec.distances, spec.linux)


# -- numbers and names ---------------------------------------------------------------------------


def test_the_product_of_the_numbers_is_the_number_of_cpus() -> None:
    spec = machine("machine: {topology: {sockets: 2, llcs: 2, cores: 4, smt: 2}}")
    assert spec.cpus == 32
    assert shape(built(spec)) == [("SMT", 16, 2), ("MC", 4, 8), ("PKG", 2, 16), ("NUMA", 1, 32)]
    assert machine("machine: {cpus: 4, topology: {cores: 4}}").cpus == 4


def test_second_threads_come_after_all_first_ones_unless_they_are_adjacent() -> None:
    spread = machine("machine: {topology: {cores: 2, smt: 2}}")
    assert built(spread).cores == (0b0101, 0b1010, 0b0101, 0b1010)
    adjacent = machine("machine: {topology: {cores: 2, smt: 2, numbering: adjacent}}")
    assert built(adjacent).cores == (0b0011, 0b0011, 0b1100, 0b1100)


def test_clusters_may_differ_in_cores_and_capacity() -> None:
    spec = machine("machine: {topology: {clusters: 2, cores: [2, 1], capacity: [400, 1024]}}")
    assert [place[5] for place in spec.places] == [400, 400, 1024]
    assert shape(built(spec)) == [("CLS", 2, 2), ("MC", 1, 3)]


def test_without_a_topology_a_machine_has_no_places() -> None:
    spec = machine("machine: {cpus: 4}")
    assert (spec.places, spec.distances) == ((), ())


def test_a_spec_with_places_is_carried_as_plain_data() -> None:
    numa = "{nodes: 2, distances: [[10, 21], [21, 10]]}"
    spec = machine("machine: {topology: {sockets: 2, numa: " + numa + "}}")
    plain = spec.to_plain()
    plain["places"] = [list(row) for row in plain["places"]]
    plain["distances"] = [list(row) for row in plain["distances"]]
    assert MachineSpec.from_plain(plain).places == spec.places
    assert MachineSpec.from_plain(plain).distances == ((10, 21), (21, 10))


@pytest.mark.parametrize("name", PROCESSORS)
def test_every_processor_builds_alone_and_in_twos(name: str) -> None:
    for sockets in (1, 2):
        cpus, findings = by_numbers(topology_named(name, sockets))
        assert findings == []
        assert len(build(cpus.places, cpus.distances).levels) >= 1
    assert run_command(["list", "topologies"]) == 0


def test_two_sockets_of_a_processor_are_two_nodes() -> None:
    spec = machine("machine: {topology: {model: epyc-7763, sockets: 2}}")
    assert spec.distances == ((10, 32), (32, 10))
    assert shape(built(spec)) == [
        ("SMT", 128, 2),
        ("MC", 16, 16),
        ("PKG", 2, 128),
        ("NUMA", 1, 256),
    ]


def test_validate_shows_the_levels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("machine: {topology: ryzen-7950x}" + TAIL)
    assert run_command(["validate", str(path)]) == 0
    levels = "SMT (16 of 2 CPUs), MC (2 of 16 CPUs), PKG (1 of 32 CPUs)"
    assert f"scheduling domains {levels}\n" in capsys.readouterr().out


# -- what is refused -----------------------------------------------------------------------------


def test_everything_that_is_wrong_is_said_at_once_and_where() -> None:
    text = """machine:
  cpus: 9
  topology:
    llcs: 2
    cores: [1, 2, 3]
    capacity: [1, 2]
    numa: {nodes: 2, distances: [[10, 10], [30, 20]]}
  pid_max: 5"""
    assert problems(text) == [
        "c.yaml:5:12: machine.topology.cores: must have 2 items, one for each cluster (got 3)",
        "c.yaml:6:15: machine.topology.capacity: must be 1024 for the largest (got 2)",
        "c.yaml:7:39: machine.topology.numa.distances.0.1: must be more than 10 (got 10)",
        "c.yaml:7:45: machine.topology.numa.distances.1.0: must be 10, as in the other"
        " direction (got 30)",
        "c.yaml:7:49: machine.topology.numa.distances.1.1: must be 10, a node's to itself (got 20)",
        "c.yaml:8:12: machine.pid_max: must be at least 301 (got 5)",
    ]


@pytest.mark.parametrize(
    ("topology", "what"),
    [
        ("{cores: 3}", "machine.cpus: must be 3, as machine.topology says, or left out (got 2)"),
        ("{cores: 4096, smt: 2}", "machine.topology: must have at most 4096 CPUs (got 8192)"),
        ("{llcs: 2, numa: {nodes: 3}}", "must divide the number of clusters, which is 2 (got 3)"),
        ("epyc-7764", "(got 'epyc-7764'); did you mean epyc-7763?"),
        ("{model: power9, smt: 8}", "topology.smt: is known of power9: only sockets and smt_share"),
        ("{model: ./m.xml, smt: 8}", "topology.smt: is for numbers: the file has all"),
        ("./none.xml", "none.xml: No such file or directory"),
    ],
)
def test_a_topology_that_cannot_be_is_refused(topology: str, what: str) -> None:
    found = problems("machine: {cpus: 2, topology: " + topology + "}")
    assert any(what in line for line in found), found


# -- files ---------------------------------------------------------------------------------------


def test_the_table_of_lscpu_is_read_without_the_cpus_that_are_offline(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text(TABLE)
    spec = machine("machine: {topology: ./mine.txt}", tmp_path)
    assert spec.cpus == 8
    assert shape(built(spec)) == [("SMT", 4, 2), ("MC", 2, 4), ("NUMA", 1, 8)]
    assert built(spec).cores[1] == 0b0010_0010


def test_cpus_behind_one_that_is_offline_move_up_and_validate_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["0 0 0 0 yes", "1 0 0 1 yes", "2 - - - no", "3 0 0 1 yes", "4 0 0 2 yes"]
    (tmp_path / "mine.txt").write_text("\n".join(["CPU NODE SOCKET CORE ONLINE", *rows, ""]))
    spec = machine("machine: {topology: ./mine.txt}", tmp_path)
    assert spec.cpus == 4
    assert built(spec).cores == (0b0001, 0b0110, 0b0110, 0b1000)
    path = tmp_path / "c.yaml"
    path.write_text("machine: {topology: ./mine.txt}\nworkloads: [{program: cow_touch}]\n")
    assert run_command(["validate", str(path)]) == 0
    said = "CPUs 0-1,3-4 of the topology file are numbered 0 to 3 here"
    assert f"{path}: {said}" in capsys.readouterr().out.splitlines()


def test_the_json_of_lscpu_is_read() -> None:
    assert shape(build(read_topology("m.json", JSON).places)) == [("SMT", 1, 2)]


def test_the_xml_of_hwloc_is_read_with_distances_and_capacities() -> None:
    cpus = read_topology("m.xml", XML)
    assert cpus.distances == ((10, 21), (21, 10))
    topology = build(cpus.places, cpus.distances)
    assert topology.capacity == (512, 512, 1024, 1024)
    assert [(level.name, level.spans) for level in topology.levels] == [
        ("SMT", (0b0011, 0b0011, 0b0100, 0b1000)),
        ("MC", (0b0011, 0b0011, 0b1100, 0b1100)),
        ("NUMA", (0b1111,) * 4),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["m:1:1: must be of lscpu -e, lscpu -J or lstopo"]),
        ("NODE X\n0 0\n", ["m:1:1: must have a column CPU", "m:1:1: must have a column CORE"]),
        (
            "CPU CORE L2:L3\n0 x 0:0\n1 1 0:0:0\n2\n",
            [
                "m:2:3: CORE: must be a number from 0 on (got 'x')",
                "m:3:5: L2:L3: must be 2 numbers with ':' between them (got '0:0:0')",
                "m:4:1: must have 3 columns (got 1)",
            ],
        ),
        ("\n CPU CORE\n", ["m:2:2: no CPU is online in it"]),
        ("CPU CORE\n0 0\n 0 1\n0 2\n", ["m:3:2: CPU 0 is there twice", "m:4:1: CPU 0 is there"]),
        (
            '{"cpus": [{"cpu": 4, "core": 0},\n{"cpu": 4, "core": 1}]}',
            ["m:2:9: CPU 4 is there twice"],
        ),
        (
            "CPU CORE NODE\n" + "".join(f"{n} {n} {n}\n" for n in range(66)),
            ["m:66:1: must have at most 64 nodes"],
        ),
        (
            "CPU CORE\n" + "".join(f"{n} {n}\n" for n in range(4098)),
            ["m:4098:1: must have at most 4096 CPUs (got 4098)"],
        ),
        ("<topology>" + "<object>" * 70, ["m:1:515: deeper than 64 levels"]),
        (XML.replace('">10 21 ', '">10 9 '), DISTANCES),
        ('{"lscpu": []}', ["m:1:11: lscpu: must have a list of cpus; this is a summary"]),
        ('{"cpus": [{"cpu": 0}]}', ["m:1:11: cpus.0: must be a mapping with cpu and core"]),
        (
            "<a/>",
            [
                "m:1:1: must be a topology of hwloc (got 'a')",
            ],
        ),
        ("<topology><object", ["m:1:11: not XML: unclosed token"]),
        (
            '<topology><object type="PU" os_index="x"/></topology>',
            ["m:1:11: PU.os_index: must be a number from 0 on (got 'x')"],
        ),
        (
            '<topology><object type="PU" os_index="0"/><object type="PU" os_index="x"/></topology>',
            ["m:1:43: PU.os_index: must be a number from 0 on (got 'x')"],
        ),
        (
            '<!DOCTYPE t [<!ENTITY a "b">]><topology/>',
            ["m:1:25: entities are not supported"],
        ),
    ],
)
def test_a_file_that_is_no_topology_is_refused_with_the_place(text: str, found: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_topology("m", text)
    lines = [str(problem) for problem in caught.value.problems]
    assert len(lines) == len(found), lines
    for line, start in zip(lines, found):
        assert line.startswith(start), line


# -- whole machines ------------------------------------------------------------------------------

SPINNERS = """import os
import time

from workloads import guest

until = time.monotonic() + 1
for number in range({count}):
    if os.fork() == 0:
        {first}
        while time.monotonic() < until:
            guest.compute(1000000)
        stat = open("/proc/self/stat").read().rpartition(")")[2].split()
        times = os.times()
        os.write(1, f"{{number}} {{stat[36]}} {{int((times[0] + times[1]) * 100)}}\\n".encode())
        os._exit(0)
for _ in range({count}):
    os.wait()
"""

SHAPES = {
    "caches": "{llcs: 2, cores: 2}",
    "nodes": "{sockets: 2, cores: 2, smt: 2}",
    "big.LITTLE": "{llcs: 2, cores: 2, capacity: [400, 1024]}",
}


def request(tmp_path: Path, topology: str, count: int, first: str = "pass") -> RunRequest:
    path = tmp_path / "spinners.py"
    path.write_text(SPINNERS.format(count=count, first=first), "utf-8")
    base = machine("machine: {topology: " + topology + "}")
    spec = guest_spec(path, [], cpus=base.cpus, places=base.places, distances=base.distances)
    return RunRequest(spec, scheme="barrier")


@pytest.mark.parametrize("topology", SHAPES.values(), ids=SHAPES)
def test_all_cpus_work_where_there_is_work_for_all(tmp_path: Path, topology: str) -> None:
    run = request(tmp_path, topology, 9)
    result = run_local(run)
    assert result.exit_kind == DONE, result.message
    rows = [line.split() for line in result.outputs["spinners.py.stdout"].decode().splitlines()]
    assert sum(int(row[2]) for row in rows) >= 98 * run.spec.cpus


@pytest.mark.parametrize("topology", SHAPES.values(), ids=SHAPES)
def test_nobody_leaves_the_cpus_it_is_bound_to(tmp_path: Path, topology: str) -> None:
    bind = "os.sched_setaffinity(0, [number % 4, (number + 1) % 4])"
    result = run_local(request(tmp_path, topology, 7, bind))
    assert result.exit_kind == DONE, result.message
    rows = [line.split() for line in result.outputs["spinners.py.stdout"].decode().splitlines()]
    assert len(rows) == 7
    for number, cpu, _ in rows:
        assert int(cpu) in (int(number) % 4, (int(number) + 1) % 4)


def test_the_digest_is_the_same_however_cpus_are_packed(tmp_path: Path) -> None:
    run = request(tmp_path, SHAPES["nodes"], 9)
    digests = {run_local(run).digest}
    for per_actor in (1, 3, 8):
        run.cpus_per_actor = per_actor
        digests.add(run_direct(run).digest)
    assert len(digests) == 1


def test_cpuinfo_says_where_each_cpu_is_and_affinity_is_as_without(tmp_path: Path) -> None:
    path = tmp_path / "info.py"
    path.write_text(
        "import os\n"
        "print(os.cpu_count(), len(os.sched_getaffinity(0)))\n"
        "print(open('/proc/cpuinfo').read())\n"
    )
    base = machine("machine: {topology: {sockets: 2, cores: 2, smt: 2}}")
    spec = guest_spec(path, [], cpus=base.cpus, places=base.places, distances=base.distances)
    text = run_local(RunRequest(spec, scheme="exact")).outputs["info.py.stdout"].decode()
    assert text.startswith("8 8\n")
    blocks = text.split("\n", 1)[1].strip().split("\n\n")
    rows = [
        dict(line.replace("\t\t", "\t").split("\t: ") for line in block.split("\n"))
        for block in blocks
    ]
    assert [(row["physical id"], row["core id"]) for row in rows] == 2 * [
        ("0", "0"),
        ("0", "1"),
        ("1", "0"),
        ("1", "1"),
    ]
    assert {(row["siblings"], row["cpu cores"]) for row in rows} == {("4", "2")}
