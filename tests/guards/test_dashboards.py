"""The dashboard and the alerts ask for what the code exports, and all of it is looked at somewhere."""

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from monitoring import metrics
from monitoring.gpu import GpuCollector
from monitoring.nvml import Nvml
from tests.conftest import REPOSITORY
from tests.unit.monitoring.nvml import FakeGpu, FakeNvml

MONITORING = REPOSITORY / "monitoring"
SUFFIXES = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_sum", "_count"),
    "gauge": ("",),
}
OF_PROMETHEUS = {"instance", "job"}
"""Labels that Prometheus adds to every sample."""

# What Grafana puts in before it asks.
GRAFANA = {"$__rate_interval": "5m", "$kind": ".*", "$node": ".*"}


class QueueRows:
    """A database session whose tasks are one of each sort."""

    async def execute(self, _statement: object) -> Iterable[tuple[Any, ...]]:
        return [("image", "queued", None, 1, 0), ("image", "succeeded", "succeeded", 2, 1)]


async def exported() -> dict[str, tuple[str, frozenset[str]]]:
    """Series name to the metric it belongs to and its labels."""
    series: dict[str, tuple[str, frozenset[str]]] = {}

    def add(family: Metric, labels: Iterable[str]) -> None:
        for suffix in SUFFIXES[family.type]:
            bucket = {"le"} if suffix == "_bucket" else set()
            series[family.name + suffix] = (family.name, frozenset({*labels, *bucket}))

    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            for family in metric.describe():
                add(family, metric._labelnames)
    rows = (await metrics.queue_metrics(QueueRows())).decode()  # type: ignore[arg-type]
    gpus = GpuCollector(Nvml(FakeNvml(FakeGpu("GPU-a")))).collect()
    for family in (*text_string_to_metric_families(rows), *gpus):
        if not family.name.endswith("_created"):
            add(family, family.samples[0].labels)
    return series


def dashboard() -> dict[str, Any]:
    return json.loads((MONITORING / "dashboards/reelfarm.json").read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "alerts/reelfarm.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def scrape_config() -> dict[str, Any]:
    return yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))


def expressions() -> list[str]:
    asked = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    variables = [
        variable["definition"] for variable in dashboard()["templating"]["list"] if variable["type"] == "query"
    ]
    return [*asked, *variables, *(rule["expr"] for rule in rules())]


def without_strings(expression: str) -> str:
    return re.sub(r'"[^"]*"', '""', expression)


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\breelfarm_\w+", without_strings(expression)))


def labels_in(expression: str) -> set[str]:
    """The labels that an expression selects or groups by."""
    text = without_strings(expression)
    selected = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", text)
    grouped = [
        label for group in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", text) for label in group.split(",")
    ]
    return {*selected, *(label.strip() for label in grouped)}


@pytest.mark.parametrize("expression", expressions())
async def test_every_expression_asks_for_what_is_exported(expression: str) -> None:
    series = await exported()
    names = names_in(expression)
    if names:
        assert names <= series.keys()
        known = OF_PROMETHEUS.union(*(series[name][1] for name in names))
    else:
        known = OF_PROMETHEUS
        assert re.match(r"up\b", expression)
    assert labels_in(expression) <= known


@pytest.mark.parametrize("expression", expressions())
def test_every_expression_is_well_formed(expression: str) -> None:
    for name, value in GRAFANA.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    assert expression.count('"') % 2 == 0
    depth: list[str] = []
    for character in without_strings(expression):
        if character in "([{":
            depth.append({"(": ")", "[": "]", "{": "}"}[character])
        elif character in ")]}":
            assert depth
            assert depth.pop() == character
    assert depth == []


async def test_every_metric_is_looked_at() -> None:
    series = await exported()
    asked = {series[name][0] for expression in expressions() for name in names_in(expression)}
    assert asked == {metric for metric, _ in series.values()}


def test_counters_and_histograms_are_asked_for_their_rate() -> None:
    """The sum of a counter since some process started says nothing."""
    for expression in expressions():
        for name in re.findall(r"\breelfarm_\w+_(?:total|bucket|count|sum)\b", expression):
            assert re.search(rf"\b(?:rate|increase)\({name}\b", expression), expression


def test_every_alert_says_how_bad_it_is_and_what_happened() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]
        # A template may only name labels that the expression leaves.
        used = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        grouped = re.findall(r"\bby\s*\(([^)]*)\)", rule["expr"])
        left = {label.strip() for group in grouped for label in group.split(",")}
        assert not grouped or used <= left


def test_the_scrape_config_has_the_rules_and_the_jobs_that_the_alerts_know() -> None:
    config = scrape_config()
    for path in config["rule_files"]:
        assert (MONITORING / path).is_file()
    jobs = {scrape["job_name"] for scrape in config["scrape_configs"]}
    known = {job for rule in rules() for job in re.findall(r'\bjob="([^"]+)"', rule["expr"])}
    assert known
    assert known <= jobs


def test_panels_have_places_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
