"""What docs/deploy.md tells an operator is what the code reads."""

import re

from monitoring.tracing import REQUEST_ID_HEADER
from runtime.embedded.ray_head import DRIVER_ENVIRONMENT
from runtime.settings import Settings
from tests.conftest import REPOSITORY

TEXT = (REPOSITORY / "docs/deploy.md").read_text(encoding="utf-8")


def test_every_setting_it_names_is_one() -> None:
    named = set(re.findall(r"\bREELFARM_[A-Z_]+\b", TEXT))
    assert len(named) > 5
    assert named <= {f"REELFARM_{name.upper()}" for name in Settings.model_fields}


def test_its_driver_has_the_environment_that_the_farm_needs() -> None:
    lines = dict(re.findall(r"^(RAY_\w+)=(.*)$", TEXT, re.MULTILINE))
    assert DRIVER_ENVIRONMENT.items() <= lines.items()
    assert lines["RAY_AUTH_TOKEN_PATH"].endswith("/.reelfarm/ray-token")


def test_its_ports_are_those_of_the_other_files() -> None:
    cluster = (REPOSITORY / "ray-cluster.yaml").read_text(encoding="utf-8")
    scrape = (REPOSITORY / "monitoring/prometheus.yml").read_text(encoding="utf-8")
    (ray_port,) = re.findall(r"REELFARM_RAY_ADDRESS=[\d.]+:(\d+)", TEXT)
    assert f"--port={ray_port}" in cluster
    (metrics_port,) = set(re.findall(r"--metrics-export-port=(\d+)", cluster))
    (scheduler_port,) = re.findall(r"REELFARM_SCHEDULER_METRICS_PORT=(\d+)", TEXT)
    for port in (metrics_port, scheduler_port, str(Settings.model_fields["port"].default), "8402"):
        assert f"| {port} |" in TEXT
        assert f':{port}"' in scrape
    assert REQUEST_ID_HEADER in TEXT
