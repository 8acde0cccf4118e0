"""What a preset's text stands for: families, words, options, and what is refused."""

import pytest

from cluster.presets.family import words_of
from cluster.presets.options import OptionProblems, flag, read_options, refused, whole
from cluster.presets.registry import families, preset_of

OPTIONS = (
    whole("-g --groups", "groups", 10, 1, 20),
    flag("-p --pipe", "pipes"),
    refused("-i --inet", "there is no network"),
)


def problems(text: str) -> list[str]:
    with pytest.raises(OptionProblems) as caught:
        preset_of(text)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("-p -g 10", ["-p", "-g", "10"]),
        ("fork,ops=10,-t,5", ["fork", "--ops=10", "-t", "5"]),
        ("pipe,groups=2 -l 3", ["pipe", "--groups=2", "-l", "3"]),
        ("groups=2,pipe", ["--groups=2", "--pipe"]),
        ("fork -A a+b,b-", ["fork", "-A", "a+b,b-"]),
        ("-l '5:100 5:0'", ["-l", "5:100 5:0"]),
    ],
)
def test_words_are_those_of_a_shell_and_commas_stand_for_long_options(
    text: str, words: list[str]
) -> None:
    assert words_of(text) == words


def test_short_options_stand_in_bundles_and_the_last_value_counts() -> None:
    given = read_options(["-pg3", "--groups", "4", "--groups=5"], OPTIONS)
    assert (given.number("groups"), given.flag("pipe")) == (5, True)
    assert read_options([], OPTIONS).number("groups") == 10


def test_every_problem_is_told_and_what_is_known_once() -> None:
    words = ["-x", "--grups=1", "-g", "0", "-i", "word", "--pipe=1", "-g"]
    with pytest.raises(OptionProblems) as caught:
        read_options(words, OPTIONS)
    assert caught.value.problems == [
        "-x: no such option (known: -g/--groups, -p/--pipe)",
        "--grups: no such option (did you mean --groups?)",
        "-g: must be a whole number from 1 to 20 (got '0')",
        "-i: there is no network",
        "word: an option begins with '-'",
        "--pipe: takes no value (got '1')",
        "-g: needs a value",
    ]


def test_a_family_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    known = ", ".join(families())
    assert problems("stress:x") == [
        "no preset 'stress:x': it begins with a family and ':' (did you mean stressng:?)"
    ]
    assert problems("zzz:x") == [
        f"no preset 'zzz:x': it begins with a family and ':' (known: {known})"
    ]


@pytest.mark.parametrize("text", ["hackbench:\n", "hackbench:" + "-p " * 2000])
def test_a_preset_is_one_line_that_is_not_too_long(text: str) -> None:
    assert problems(text) == ["a preset is a line of at most 4096 characters"]


@pytest.mark.parametrize("name", families())
def test_every_family_has_examples_that_it_takes_and_rows_that_say_what_it_takes(name: str) -> None:
    family = families()[name]
    assert family.examples and family.rows
    for example in family.examples:
        assert preset_of(example).program.startswith('"""')


def test_a_quote_that_does_not_end_is_refused() -> None:
    assert problems("hackbench:-g '1") == ["-g '1: no closing quotation"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("hackbench:-g 1000", "40,000 tasks: at most 30,000 (groups * fds * 2)"),
        ("hackbench:-TP", "-T and -P: name one"),
        ("hackbench:-i", "-i: the emulated machine has no network"),
        (
            "perfbench:syscall pipe",
            "no benchmark of perf bench 'pipe' (known: basic, getpgid, fork, execve)",
        ),
        ("perfbench:pipe -n", "-n: what waits in epoll is not modelled"),
        ("schbench:-p 4096", "-p: its copies go through caches, of which there is no model"),
        ("schbench:-m 100 -t 100", "10100 threads: at most 4096"),
        ("ostep:fork -R", "-R: Linux gives orphans to init or a subreaper, here to the root"),
        ("ostep:fork -A a+b,c-", "-A: c-: not possible: there is no c"),
        ("ostep:fork -A a+b,a+b", "-A: a+b: not possible: there was a b already"),
        ("ostep:fork -A a-", "-A: a-: not possible: the root does not end"),
        ("ostep:scheduler -p RR -l 20", "-p RR: a job has at most 19 slices (-q)"),
        ("ostep:scheduler -p MLFQ", "-p: must be one of FIFO, SJF, RR (got 'MLFQ')"),
        ("ostep:process-run", "process-run: needs -l X:Y,… or -P c1,i,…"),
        (
            "ostep:process-run -S SWITCH_ON_END -l 1:1",
            "-S: must be one of SWITCH_ON_IO (got 'SWITCH_ON_END')",
        ),
        ("stressng:fork", "--fork: needs --fork-ops or --timeout: else it never ends"),
        ("stressng:cpu,ops=5", "--cpu: needs --timeout, and no --cpu-ops: theirs is arithmetic"),
        ("stressng:vm,ops=5", "vm: there is no model of caches and memory bandwidth"),
        (
            "stressng:fork,ops=5,timeout=x",
            "--timeout: must be a time of at most an hour, such as 10s (got 'x')",
        ),
        ("stressng:--fork 1 --fork-ops 1 --pipe-ops 3", "--pipe-ops: there is no --pipe N"),
        ("stressng:--pipe 600 --switch 600 -t 1", "more than 1000 workers"),
    ],
)
def test_what_a_family_does_not_do_is_refused_by_name(text: str, what: str) -> None:
    assert problems(text) == [what]
