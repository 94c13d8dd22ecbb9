"""ray-cluster.yaml is one that Ray takes, and starts nodes as the farm expects them."""

import json
import shlex
import subprocess
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.scripts.scripts import start

from farm.cluster import _slots
from runtime.embedded.ray_head import DRIVER_ENVIRONMENT
from tests.conftest import REPOSITORY

HEAD_IP = "10.0.0.10"


@pytest.fixture(scope="module")
def cluster() -> dict[str, Any]:
    return yaml.safe_load((REPOSITORY / "ray-cluster.yaml").read_text(encoding="utf-8"))


def test_ray_accepts_it(cluster: dict[str, Any]) -> None:
    prepared = prepare_config(cluster)
    validate_config(prepared)
    (node_type,) = prepared["available_node_types"].values()
    assert node_type["min_workers"] == node_type["max_workers"] == len(cluster["provider"]["worker_ips"])


def test_ray_would_refuse_a_slip(cluster: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="setup_comands"):
        validate_config(prepare_config(cluster | {"setup_comands": []}))


class Started:
    """How `ray` was called on a node, and with what environment."""

    def __init__(self, record: Path) -> None:
        lines = record.read_text(encoding="utf-8").splitlines()
        self.calls = [json.loads(line) for line in lines]
        self.arguments: list[str] = self.calls[-1]["arguments"]
        self.environment: dict[str, str] = self.calls[-1]["environment"]

    def options(self) -> dict[str, Any]:
        """The options as `ray start` itself reads them. Raises click.UsageError for what it does not know."""
        assert self.arguments[0] == "start"
        context: click.Context = start.make_context("start", self.arguments[1:])
        return context.params


def run_on_a_node(home: Path, cluster: dict[str, Any], role: str, node_env: str = "") -> Started:
    """What the file does there, without installing: its environment is written, its start commands are run."""
    programs = home / ".reelfarm/venv/bin"
    programs.mkdir(parents=True)
    record = home / "record"
    ray = programs / "ray"
    ray.write_text(
        "#!/usr/bin/env python3\nimport json, os, sys\n"
        f"line = json.dumps({{'arguments': sys.argv[1:], 'environment': dict(os.environ)}})\n"
        f"open({str(record)!r}, 'a').write(line + '\\n')\n"
    )
    ray.chmod(0o755)
    (home / ".reelfarm/node.env").write_text(node_env)
    writes = [command for command in cluster["setup_commands"] if "ray.env" in command or "node.env" in command]
    for command in (*writes, *cluster[f"{role}_start_ray_commands"]):
        # Ray runs each command in a shell of its own.
        subprocess.run(
            ["bash", "-c", command],
            check=True,
            env={"HOME": str(home), "PATH": "/usr/bin:/bin:/usr/local/bin", "RAY_HEAD_IP": HEAD_IP},
        )
    return Started(record)


@pytest.mark.parametrize("role", ["head", "worker"])
def test_a_node_is_started_with_the_farms_environment(tmp_path: Path, cluster: dict[str, Any], role: str) -> None:
    started = run_on_a_node(tmp_path, cluster, role, "AWS_ACCESS_KEY_ID='a b'\n")
    assert [call["arguments"][0] for call in started.calls] == ["stop", "start"]
    token = {"RAY_AUTH_TOKEN_PATH": f"{tmp_path}/.reelfarm/ray-token", "AWS_ACCESS_KEY_ID": "a b"}
    assert (DRIVER_ENVIRONMENT | token).items() <= started.environment.items()
    assert not {"REELFARM_DATABASE_URL", "REELFARM_SECRET_KEY"} & started.environment.keys()


def test_workers_join_the_port_that_the_head_opens(tmp_path: Path, cluster: dict[str, Any]) -> None:
    head = run_on_a_node(tmp_path / "head", cluster, "head").options()
    worker = run_on_a_node(tmp_path / "worker", cluster, "worker").options()
    assert head["head"]
    assert worker["address"] == f"{HEAD_IP}:{head['port']}"
    assert head["metrics_export_port"] == worker["metrics_export_port"]
    assert not 10002 <= head["port"] <= 19999


@pytest.mark.parametrize(
    ("role", "node_env", "cpus", "gpus"),
    [
        ("head", "", 2, 0),
        ("head", "REELFARM_CPU_SLOTS=4\nREELFARM_GPU_SLOTS=1\n", 4, 1),
        ("worker", "", 2, None),  # as many as Ray counts
        ("worker", "REELFARM_CPU_SLOTS=16\nREELFARM_GPU_SLOTS=8\n", 16, 8),
    ],
)
def test_a_node_offers_the_slots_that_its_operator_gives(
    tmp_path: Path, cluster: dict[str, Any], role: str, node_env: str, cpus: int, gpus: int | None
) -> None:
    options = run_on_a_node(tmp_path, cluster, role, node_env).options()
    assert (options["num_cpus"], options["num_gpus"]) == (cpus, gpus)
    slots = list(_slots("node", {"CPU": float(cpus), "GPU": float(gpus or 0)}))
    assert [slot.device for slot in slots] == ["cpu"] * cpus + ["gpu"] * (gpus or 0)


@pytest.mark.parametrize("role", ["head", "worker"])
def test_a_node_says_which_gpus_work_together(tmp_path: Path, cluster: dict[str, Any], role: str) -> None:
    node_env = "REELFARM_GPU_SLOTS=8\nREELFARM_GANGS='{\"gang_of_4\": 1}'\n"
    options = run_on_a_node(tmp_path, cluster, role, node_env).options()
    offered = {"GPU": float(options["num_gpus"]), **json.loads(options["resources"])}
    assert Counter(slot.gpus for slot in _slots("node", offered)) == {4: 1, 1: 4}


def test_it_installs_the_ray_that_the_farm_is_built_with(cluster: dict[str, Any]) -> None:
    asked = [word for command in cluster["setup_commands"] for word in shlex.split(command) if word.startswith("ray[")]
    assert asked == [f"ray[default]=={version('ray')}"]


def test_what_it_copies_is_here_or_is_made_as_it_says(cluster: dict[str, Any]) -> None:
    text = (REPOSITORY / "ray-cluster.yaml").read_text(encoding="utf-8")
    for path in cluster["file_mounts"].values():
        assert (REPOSITORY / path).exists() or f"--wheel-dir {path}" in text or f"> {path}" in text
