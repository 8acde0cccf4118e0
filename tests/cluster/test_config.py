"""Configurations: what is accepted, what is refused, and with which words."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cluster.build import load_profile, resolve
from cluster.cli.configs import schema_text
from cluster.cli.main import run_command
from cluster.config import ConfigError, RunConfig, load, load_config, models, parse_config
from cluster.config.quantities import duration_ns, format_bytes, format_ns, size_bytes
from cluster.config.source import read_document, scalar_value
from kernel.costs import Costs, cost_names

ROOT = Path(__file__).resolve().parents[2]
BROKEN = ROOT / "tests" / "cluster" / "broken_configs"
SHIPPED = sorted((ROOT / "configs").glob("*.yaml"))
EXPECTED = sorted(BROKEN.glob("*.expected"))
ONE = "workloads: [{program: cow_touch}]\n"


def parsed(text: str, *flags: tuple[str, str], name: str = "c.yaml") -> RunConfig:
    return parse_config(name, text, ROOT, flags).config


def messages(text: str, *flags: tuple[str, str], name: str = "c.yaml") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(name, text, ROOT, flags)
    return [str(problem) for problem in caught.value.problems]


def test_there_are_at_least_forty_broken_configs() -> None:
    assert len(EXPECTED) >= 40


#: kinds of files, and where under ``configs`` their schema is
SCHEMAS = [("config", ""), ("experiment", "experiments"), ("scenario", "races"), ("costs", "costs")]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.name)
def test_a_broken_config_is_refused_with_its_exact_messages(
    expected: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(BROKEN)
    assert run_command(["validate", expected.stem]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == expected.read_text("utf-8")
    assert "Traceback" not in err


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_config_is_valid_and_names_the_schema(path: Path) -> None:
    loaded = load_config(path)
    assert loaded.config.name == path.stem
    assert resolve(loaded).spawns
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=schema.json\n")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_config_meets_the_json_schema(path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")  # Ray brings it
    jsonschema.validate(yaml.safe_load(path.read_text("utf-8")), json.loads(schema_text()))


@pytest.mark.parametrize(("kind", "folder"), SCHEMAS)
def test_the_json_schema_in_the_repository_is_up_to_date(kind: str, folder: str) -> None:
    assert (ROOT / "configs" / folder / "schema.json").read_text("utf-8") == schema_text(kind)


@pytest.mark.parametrize(("kind", "folder"), SCHEMAS[1:])
def test_shipped_files_of_other_kinds_meet_their_json_schema(kind: str, folder: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")  # Ray brings it
    check = jsonschema.Draft202012Validator(json.loads(schema_text(kind)))
    marks = {"experiment": "axes", "scenario": "program", "costs": "costs"}
    texts = [path.read_text("utf-8") for path in (ROOT / "configs" / folder).glob("*.yaml")]
    found = [file for file in map(yaml.safe_load, texts) if marks[kind] in file]
    assert len(found) > 1
    assert [error.message for file in found for error in check.iter_errors(file)] == []


@pytest.mark.parametrize(
    "values", ["1...8", "1..8 by 2", [], {}, None, [[1]]], ids=lambda values: repr(values)
)
def test_the_schema_of_experiments_refuses_what_is_no_axis(values: object) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    file = {"base": "a.yaml", "axes": {"machine.cpus": values}, "measure": ["virtual"]}
    check = jsonschema.Draft202012Validator(json.loads(schema_text("experiment")))
    places = {tuple(error.path)[:2] for error in check.iter_errors(file)}
    assert places == {("axes", "machine.cpus")}


def test_the_default_cost_profile_has_every_cost_and_agrees_with_the_dataclass() -> None:
    values = load_profile(ROOT / "configs" / "costs" / "default.yaml")
    assert list(values) == list(cost_names())
    assert values == asdict(Costs())


def test_json_and_yaml_give_the_same_config() -> None:
    data = {"seed": 7, "machine": {"memory": "1GiB"}, "workloads": [{"program": "cow_touch"}]}
    from_json = parsed(json.dumps(data, indent="\t"), name="c.json")
    assert from_json == parsed(yaml.safe_dump(data))
    assert from_json.machine.memory == 1 << 30


def test_child_runs_first_takes_off_and_on_unquoted() -> None:
    for word in ("auto", "off", "on", "vfork_only"):
        text = f"sched: {{child_runs_first: {word}}}\n{ONE}"
        assert parsed(text).sched.child_runs_first == word


def test_nohz_takes_off_unquoted_and_lists_of_cpus_as_linux_has_them() -> None:
    assert parsed(f"machine: {{nohz: off}}\n{ONE}").machine.nohz == "off"
    text = f"machine: {{cpus: 16, nohz: full, nohz_full: '1-3,8-15:1/4'}}\n{ONE}"
    assert parsed(text).machine.nohz_full == (1, 2, 3, 8, 12)
    assert parsed(f"machine: {{nohz: full, nohz_full: 3}}\n{ONE}").machine.nohz_full == (3,)


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ("hz: 200", "machine.hz: must be one of 100, 250, 300, 1000 (got 200)"),
        ("nohz: on", "machine.nohz: must be one of ideal, off, idle, full (got 'on')"),
        ("nohz: full", "machine.nohz: full needs machine.nohz_full, the CPUs that it is for"),
        ("nohz_full: 1", "machine.nohz_full: is for machine.nohz: full (it is ideal)"),
        ("nohz: full, nohz_full: 3-1", "range 3-1 ends before it begins (got '3-1')"),
        ("nohz: full, nohz_full: all", "must be CPUs and ranges of them, as in 1-3,7 (got 'all')"),
        ("nohz: full, nohz_full: 0-1:3/2", "0-1:3/2: of a group of 2 not 3 are taken"),
        ("nohz: full, nohz_full: 1-8", "names CPU 8, and the last of 8 is 7"),
        ("nohz: full, nohz_full: 0-7", "must leave out one CPU: somebody has to keep the time"),
    ],
)
def test_ticks_that_cannot_be_are_refused(keys: str, what: str) -> None:
    [message] = messages(f"machine: {{{keys}}}\n{ONE}")
    assert what in message


def test_a_tick_that_takes_all_the_time_there_is_is_refused() -> None:
    text = f"machine: {{hz: 1000}}\ncosts: {{values: {{tick: 1000000}}}}\n{ONE}"
    with pytest.raises(ConfigError, match="costs: tick takes 1000000 ns, all the time"):
        resolve(parse_config("c.yaml", text, ROOT))


def test_an_override_is_read_as_yaml_and_names_its_flag_when_wrong() -> None:
    good = ("--set machine.cpus=64", "machine.cpus=64")
    assert parsed(ONE, good).machine.cpus == 64
    bad = ("--set machine.cpus=1e3", "machine.cpus=1e3")
    [message] = messages(ONE, bad)
    assert message.startswith("--set machine.cpus=1e3: machine.cpus: YAML versions disagree")
    [message] = messages(ONE, ("--set machine.cpus=0", "machine.cpus=0"))
    assert message == "--set machine.cpus=0: machine.cpus: must be at least 1 (got 0)"


def test_an_override_reaches_into_lists_and_parameters() -> None:
    flag = ("--set x", "workloads.0.params.pages=128")
    assert parsed(ONE, flag).workloads[0].params == {"pages": "128"}
    [message] = messages(ONE, ("--set x", "workloads.1.instances=3"))
    assert message == "--set x: workloads.1.instances: workloads is a list of 1: there is no item 1"


def test_an_override_replaces_a_value_that_is_wrong_in_the_file() -> None:
    assert parsed(f"seed: 3\n{ONE}", ("--set seed=4", "seed=4")).seed == 4


def test_an_override_without_a_value_is_refused() -> None:
    [message] = messages(ONE, ("--set seed", "seed"))
    assert message == "--set seed: must be KEY=VALUE, as in machine.cpus=64"


def test_parameters_become_text_in_the_order_of_the_file() -> None:
    text = "workloads: [{program: cow_touch, params: {rounds: 2, kind: shared, pages: 8}}]"
    params = parsed(text).workloads[0].params
    assert list(params.items()) == [("rounds", "2"), ("kind", "shared"), ("pages", "8")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-3", -3), ("0", 0), ("0x1f", 31), ("1.5", 1.5), ("1.0e+3", 1000.0),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("64KiB", "64KiB"), ("a:b", "a:b"), ("1.2.3", "1.2.3"), ("x_1", "x_1"), ("-", "-"),
    ],
)  # fmt: skip
def test_a_plain_scalar_means_what_all_yaml_versions_agree_on(text: str, value: object) -> None:
    found = scalar_value(text, ())
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["1e6", "1E+6", "1.e5", "1.5e3", "010", "-07", "08", "1:30", "1:30:00", "yes", "No", "ON",
     "off", "1_000", "0x_ff", "0b11", "0o17", ".5", ".inf", "-.INF", ".NaN", "2026-11-22", "="],
)  # fmt: skip
def test_a_plain_scalar_that_yaml_versions_read_differently_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"quote|write|portable|not values"):
        scalar_value(text, ())


@pytest.mark.parametrize("text", ["1e6", "010", "yes", "1:30", "null"])
def test_a_quoted_trap_is_text(text: str) -> None:
    document = read_document("c.yaml", f"a: '{text}'\nb: \"{text}\"\n")
    assert document.data == {"a": text, "b": text}
    assert not document.problems


def test_every_trap_is_reported_together_with_what_the_model_finds() -> None:
    found = messages(f"seed: 010\nname: a b\nengine: yes\n{ONE}")
    assert [message.split(":")[1] for message in found] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("50us", 50_000), ("50µs", 50_000), ("1ms", 1_000_000), ("2s", 2 * 10**9), ("1.5us", 1500),
     ("0.5 ms", 500_000), ("1min", 60 * 10**9), (0, 0)],
)  # fmt: skip
def test_a_duration_is_whole_ns(text: object, value: int) -> None:
    assert duration_ns(text) == value


@pytest.mark.parametrize("text", ["50", 50, 1.5, "us", "-1us", "1e3us", "1.5ns", "1h", None, True])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"must be|unit"):
        duration_ns(text)


@given(st.integers(0, 10**18))
def test_a_formatted_duration_reads_back_as_itself(value_ns: int) -> None:
    text = format_ns(value_ns)
    assert duration_ns(0 if text == "0" else text) == value_ns


@given(st.integers(0, 10**15))
def test_a_formatted_size_reads_back_as_itself(value: int) -> None:
    text = format_bytes(value)
    assert size_bytes(0 if text == "0" else text) == value


@given(st.text(max_size=60))
def test_any_text_is_a_config_or_a_config_error(text: str) -> None:
    for name in ("c.yaml", "c.json"):
        try:
            parse_config(name, text, ROOT)
        except ConfigError as error:
            assert error.problems


@given(
    st.dictionaries(
        st.text("abcxyz", max_size=3), st.text("ab01\"'\\\n:#é", max_size=5), max_size=4
    )
)
def test_yaml_and_json_text_of_the_same_data_is_read_alike(data: dict[str, str]) -> None:
    text = json.dumps(data)
    assert read_document("c.json", text).data == data
    document = read_document("c.yaml", text)
    assert document.data == data


def test_every_pattern_of_the_models_is_explained_in_words() -> None:
    def patterns(part: object) -> set[str]:
        if isinstance(part, dict):
            own = {part["pattern"]} if isinstance(part.get("pattern"), str) else set()
            return own.union(*(patterns(value) for value in part.values()))
        return set().union(*map(patterns, part)) if isinstance(part, list) else set()

    schemas = [models.RunConfig.model_json_schema(), models.CostProfile.model_json_schema()]
    quantities = {pattern for pattern in patterns(schemas) if pattern.startswith("^[0-9]+")}
    assert patterns(schemas) - quantities <= set(load._PATTERNS)  # quantities have words of theirs


def test_a_version_needs_no_quotes_in_a_flag() -> None:
    assert parsed(ONE, ("--set linux=6.12", "linux=6.12")).linux == "6.12"


def test_a_section_that_only_a_flag_has_written_is_told_at_the_flag() -> None:
    flag = "--set sched.cfs.latency=3ms"
    assert messages(ONE, (flag, "sched.cfs.latency=3ms")) == [
        f"{flag}: sched.cfs: is for fair: cfs (sched.fair is eevdf)"
    ]


def test_a_topology_file_that_cannot_be_read_is_told_where_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config("c.yaml", "machine: {topology: gone.xml}\n" + ONE, tmp_path)
    assert [str(problem) for problem in caught.value.problems] == [
        f"c.yaml:1:21: machine.topology.model: {tmp_path}/gone.xml: No such file or directory"
    ]
