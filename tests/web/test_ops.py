"""The dashboard and the alert rules in docs/ops/: in the form that Grafana and Prometheus read, and about figures that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
import yaml

from tests.web.ops import OPS, Asked, Labels, series_of
from tests.web.test_metrics import Site

TARGET_LABELS = frozenset({"job", "instance"})
"""What Prometheus adds to all that it scrapes."""


@pytest.fixture(scope="module")
def series() -> Labels:
    return series_of(Site().families())


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((OPS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    assert group["name"] == "journeymap"
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((OPS / "grafana-dashboard.json").read_text(encoding="utf-8"))
    return found


def queries(panels: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for panel in panels:
        for target in panel.get("targets", ()):
            yield panel["title"], target


def assert_answerable(query: str, series: Labels) -> Asked:
    """The query can be read and asks for what there is."""
    asked = Asked(query.replace("$__rate_interval", "1m"))
    assert asked.names, query
    assert asked.names <= set(series), query
    for name, label in asked.selected:
        assert label in series[name] | TARGET_LABELS, query
    known = frozenset().union(*(series[name] for name in asked.names)) | TARGET_LABELS
    assert asked.grouped <= known, query
    return asked


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_there_is_and_says_what_to_do(rule: dict[str, Any], series: Labels) -> None:
    asked = assert_answerable(rule["expr"], series)
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["alert"].startswith("Journeymap")
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook"}
    labels = frozenset().union(*(series[name] for name in asked.names)) | TARGET_LABELS
    for text in rule["annotations"].values():
        assert set(re.findall(r"\$labels\.(\w+)", text)) <= labels
    assert rule["annotations"]["runbook"] == f"docs/ops/monitoring.md#{rule['alert'].lower()}"


def test_every_rule_is_explained_and_nothing_else_is() -> None:
    text = (OPS / "monitoring.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (\w+)$", text, re.MULTILINE) == [rule["alert"] for rule in rules()]


def test_every_panel_asks_for_what_there_is(series: Labels) -> None:
    found = list(queries(dashboard()["panels"]))
    assert len(found) > 30
    for _title, target in found:
        asked = assert_answerable(target["expr"], series)
        labels = frozenset().union(*(series[name] for name in asked.names)) | TARGET_LABELS
        assert set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"])) <= labels
    for note in dashboard()["annotations"]["list"]:
        assert_answerable(note["expr"], series)


def test_the_dashboard_has_the_form_that_grafana_imports() -> None:
    board = dashboard()
    assert board["schemaVersion"] >= 36
    assert board["id"] is None
    assert re.fullmatch(r"[\w-]{1,40}", board["uid"])
    assert board["title"]
    assert board.keys() >= {"panels", "templating", "time", "annotations", "tags", "version"}
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place.keys() == {"x", "y", "w", "h"}
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
        assert place["h"] > 0
        assert panel["title"]
        if panel["type"] == "row":
            continue
        assert panel["type"] in {"stat", "timeseries", "state-timeline"}
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"]
        names = [target["refId"] for target in panel["targets"]]
        assert len(set(names)) == len(names)
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y, (one, other)


def test_the_dashboard_can_be_used_with_any_data_source_job_and_instance(series: Labels) -> None:
    board = dashboard()
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert list(variables) == ["datasource", "job", "instance", "source"]
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    for name in ("job", "instance", "source"):
        query = variables[name]["query"]["query"]
        (metric,) = re.findall(r"journeymap_\w+", query)
        assert metric in series
        assert variables[name]["datasource"]["uid"] == "${datasource}"
        assert query.endswith(f", {name})")
    used = set(re.findall(r"\$(?:\{(\w+)\}|(\w+))", json.dumps(board)))
    assert {one or other for one, other in used} == {*variables, "__rate_interval", "__all"}
    for title, target in queries(board["panels"]):
        assert 'job=~"$job",instance=~"$instance"' in target["expr"], title
