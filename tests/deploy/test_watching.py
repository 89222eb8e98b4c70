"""Alerts are explained, the dashboard is one that Grafana shows, and the files beside them fit the containers."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.deploy.watching import ALERTS, DASHBOARD, DEPLOY, GROUPS, PANELS, ROOT

DURATION = re.compile(r"\d+(ms|[smhdwy])")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
COLUMNS = 24
"""Of Grafana's grid."""
_TEXT = {"type": "string", "minLength": 1}
_DATASOURCE = {
    "type": "object",
    "required": ["type", "uid"],
    "properties": {"type": {"const": "prometheus"}, "uid": _TEXT},
    "additionalProperties": False,
}
_TARGET = {
    "type": "object",
    "required": ["refId", "expr", "legendFormat"],
    "properties": {"refId": {"type": "string", "pattern": "^[A-Z]$"}, "expr": _TEXT, "legendFormat": _TEXT},
    "additionalProperties": False,
}
_SPAN = {"type": "integer", "minimum": 1, "maximum": COLUMNS}
_PANEL = {
    "type": "object",
    "required": ["id", "type", "title", "description", "datasource", "gridPos", "fieldConfig", "targets"],
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "type": {"enum": ["timeseries", "stat", "table", "gauge"]},
        "title": _TEXT,
        "description": _TEXT,
        "datasource": _DATASOURCE,
        "gridPos": {
            "type": "object",
            "required": ["x", "y", "w", "h"],
            "properties": {
                "x": {"type": "integer", "minimum": 0, "maximum": COLUMNS - 1},
                "y": {"type": "integer", "minimum": 0},
                "w": _SPAN,
                "h": _SPAN,
            },
            "additionalProperties": False,
        },
        "fieldConfig": {
            "type": "object",
            "required": ["defaults", "overrides"],
            "properties": {
                "defaults": {"type": "object", "required": ["unit"], "properties": {"unit": _TEXT}},
                "overrides": {"type": "array"},
            },
            "additionalProperties": False,
        },
        "options": {"type": "object"},
        "targets": {"type": "array", "minItems": 1, "items": _TARGET},
    },
    "additionalProperties": False,
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["uid", "title", "schemaVersion", "panels", "time", "refresh"],
    "properties": {
        "uid": {"type": "string", "pattern": "^[a-z0-9-]{1,40}$"},
        "title": _TEXT,
        "schemaVersion": {"type": "integer", "minimum": 39},
        "editable": {"const": False},
        "panels": {"type": "array", "minItems": 1, "items": _PANEL},
        "time": {"type": "object", "required": ["from", "to"]},
    },
}
"""The members of Grafana's dashboard model that we use; there is no schema of Grafana's own to be had as a package."""


def test_the_dashboard_is_what_grafana_reads():
    Draft202012Validator.check_schema(SCHEMA)
    complaints = [
        f"{'/'.join(map(str, error.path))}: {error.message}"
        for error in Draft202012Validator(SCHEMA).iter_errors(DASHBOARD)
    ]
    assert complaints == []


def test_no_two_panels_lie_on_each_other_and_none_leaves_the_page():
    def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
        at = panel["gridPos"]
        return {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}

    for panel in PANELS:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= COLUMNS, panel["title"]
    for one, other in combinations(PANELS, 2):
        assert not cells(one) & cells(other), f"{one['title']} lies on {other['title']}"
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_every_panel_asks_the_source_that_is_provisioned():
    (source,) = _yaml("grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    assert {panel["datasource"]["uid"] for panel in PANELS} == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in COMPOSE["services"]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_it_is_and_operations_what_to_do(rule: dict[str, Any]):
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"([A-Z][a-z]+)+", rule["alert"])
    assert "for" not in rule or DURATION.fullmatch(rule["for"])
    assert rule["labels"] in ({"severity": "page"}, {"severity": "ticket"})
    assert rule["annotations"].keys() == {"summary", "runbook"}
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = text.partition(f"### {rule['alert']}\n")[2].partition("\n#")[0]
    assert len(section) > 100, "there is nothing to read when it fires"


def test_no_alert_is_there_twice_and_no_section_is_without_its_alert():
    assert [group["name"] for group in GROUPS] == ["erp-gateway"]
    names = [rule["alert"] for rule in ALERTS]
    assert len(set(names)) == len(names)
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    watching = text.partition("\n## Watching\n")[2].partition("\n## ")[0]
    assert re.findall(r"(?m)^### (\w+)$", watching) == names, "in the order of the rules"


def test_prometheus_is_configured_as_compose_mounts_it():
    scrape = _yaml("prometheus/prometheus.yml")
    mounted = {volume.split(":")[1] for volume in COMPOSE["services"]["prometheus"]["volumes"]}
    assert set(scrape["rule_files"]) <= mounted
    (job,) = scrape["scrape_configs"]
    assert job["job_name"] == "erp-gateway", "the alerts ask for it"
    assert job["static_configs"] == [{"targets": ["gateway:8080"]}]
    assert DURATION.fullmatch(scrape["global"]["scrape_interval"])


def test_the_collectors_pipelines_are_made_of_its_parts():
    collector = _yaml("collector/collector.yaml")
    for pipeline in collector["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= collector[kind].keys()
    # the memory limiter must be the first, and stay below what the container may use
    (pipeline,) = collector["service"]["pipelines"].values()
    assert pipeline["processors"][0] == "memory_limiter"
    most = int(COMPOSE["services"]["collector"]["mem_limit"].removesuffix("m"))
    assert collector["processors"]["memory_limiter"]["limit_mib"] < most


def _yaml(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    return found
