"""Files for Ray's launcher and KubeRay, and the page about clusters: what they name is there."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.catalogue import config_path
from cluster.cli.app import make_app
from cluster.config import load_config

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "configs" / "ray" / "cluster.yaml"
JOB = ROOT / "configs" / "ray" / "rayjob.yaml"
PAGE = ROOT / "docs" / "clusters.md"
_ASSIGNMENT = re.compile(r"[A-Z_]+=\S+ ")


def parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def commands() -> list[str]:
    """Return every command of the two files and of the page, those within commands included."""
    cluster = parsed(CLUSTER)
    found = [
        line
        for key in ("setup_commands", "head_start_ray_commands", "worker_start_ray_commands")
        for line in cluster[key]
    ]
    found.append(parsed(JOB)["spec"]["entrypoint"])
    found += re.findall(r"^\$ (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    for line in list(found):
        words = shlex.split(line)
        if words[:2] == ["ray", "exec"]:
            found.append(words[-1])
        elif words[:3] == ["ray", "job", "submit"]:
            found.append(shlex.join(words[words.index("--") + 1 :]))
    return [_ASSIGNMENT.sub("", line) for line in found]


OURS = [line for line in commands() if line.startswith("smplab ")]
RAYS = [line for line in commands() if line.startswith("ray ")]


def parameters(command: Any, words: list[str]) -> dict[str, Any]:
    """Parse the words of a command line as the command does; nothing is run."""
    context = command.make_context(words[0], words[1:])
    if not hasattr(command, "resolve_command"):
        found: dict[str, Any] = context.params
        return found
    rest = [*context._protected_args, *context.args]
    name, inner, rest = command.resolve_command(context, rest)
    return parameters(inner, [name, *rest])


def test_commands_are_found_in_all_places() -> None:
    assert len(OURS) >= 5
    assert [line.split()[1] for line in RAYS].count("start") == 2
    assert {"up", "exec", "down", "job", "stop", "rsync-down"} <= {line.split()[1] for line in RAYS}


@pytest.mark.parametrize("line", OURS)
def test_a_command_of_smplab_has_its_options_and_a_sound_configuration(line: str) -> None:
    from typer.main import get_command

    words = shlex.split(line)
    given = parameters(get_command(make_app(words[1])), words)
    assert given["engine"] == "ray"
    flags = [("--set", text) for text in given["settings"] or ()]
    flags += [("--engine", "engine=ray"), ("--address", f"ray.address={given['address']}")]
    if given["config"] != Path("mine.yaml"):  # the reader's own
        load_config(config_path(given["config"]), flags)


@pytest.mark.ray
@pytest.mark.parametrize("line", RAYS)
def test_a_command_of_ray_has_its_options(line: str) -> None:
    from ray.scripts.scripts import cli

    parameters(cli, shlex.split(line))


def test_hosts_of_the_job_are_those_that_it_is_spread_over_and_have_its_cores() -> None:
    spec = parsed(JOB)["spec"]
    group = spec["rayClusterSpec"]["workerGroupSpecs"][0]
    words = shlex.split(spec["entrypoint"])
    keys = dict(word.split("=") for word in words if re.match(r"[a-z_.]+=", word))
    assert int(keys["ray.hosts"]) == group["replicas"] == group["minReplicas"]
    actors = int(keys["machine.cpus"]) // int(keys["ray.cpus_per_actor"])
    cores = group["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"]
    assert actors == group["replicas"] * int(cores)


def test_what_the_job_writes_goes_to_a_volume() -> None:
    spec = parsed(JOB)["spec"]
    words = shlex.split(spec["entrypoint"])
    pod = spec["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    mounts = {each["mountPath"]: each["name"] for each in pod["containers"][0]["volumeMounts"]}
    volume = mounts[words[words.index("--out") + 1]]
    assert volume in [each["name"] for each in pod["volumes"]]


def test_the_job_is_one_of_kuberay_with_one_image_and_version() -> None:
    job = parsed(JOB)
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    pods = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    images = {pod["template"]["spec"]["containers"][0]["image"] for pod in pods}
    assert len(images) == 1
    assert cluster["rayVersion"] in JOB.read_text("utf-8").split("apiVersion")[0]
    assert cluster["rayVersion"] in parsed(CLUSTER)["docker"]["image"]


@pytest.mark.ray
def test_rays_launcher_takes_the_file() -> None:
    import ray
    from jsonschema import Draft7Validator
    from ray.autoscaler._private.util import prepare_config, validate_config

    schema = json.loads((Path(ray.__file__).parent / "autoscaler/ray-schema.json").read_text())
    assert list(Draft7Validator(schema).iter_errors(parsed(CLUSTER))) == []
    whole = prepare_config(parsed(CLUSTER))
    validate_config(whole)
    assert whole["max_workers"] == len(parsed(CLUSTER)["provider"]["worker_ips"])
