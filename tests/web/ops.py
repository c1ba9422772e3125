"""What docs/ops/ says of the figures, and how figures are named in queries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import promql_parser
from prometheus_client.metrics_core import Metric

OPS = Path(__file__).resolve().parents[2] / "docs" / "ops"

Labels = dict[str, frozenset[str]]
"""Names of figures, each with the labels that it has."""


def documented() -> Labels:
    """The figures in the tables of docs/ops/monitoring.md."""
    found = {}
    for line in (OPS / "monitoring.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if cells and (match := re.fullmatch(r"`(journeymap_\w+)`", cells[0])):
            found[match[1]] = frozenset(re.findall(r"`(\w+)`", cells[2]))
    return found


def metrics_of(families: Iterable[Metric]) -> Labels:
    """Families as queries name them: a counter with `_total`, a histogram by its plain name and without `le`."""
    found = {}
    for family in families:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = frozenset(label for sample in family.samples for label in sample.labels) - {"le"}
    return found


def series_of(families: Iterable[Metric]) -> Labels:
    """All that can stand in a query: also the parts of histograms."""
    found: dict[str, set[str]] = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return {name: frozenset(labels) for name, labels in found.items()}


class Asked:
    """The series that a query names, the labels that it selects by, and those that it groups by. Raises on bad syntax."""

    def __init__(self, query: str) -> None:
        self.names: set[str] = set()
        self.selected: set[tuple[str, str]] = set()
        self.grouped: set[str] = set()
        promql_parser.walk(promql_parser.parse(query), self._visit)

    def _visit(self, node: object) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name, "a selector without a name reads everything"
            self.names.add(node.name)
            self.selected |= {(node.name, matcher.name) for matcher in node.matchers.matchers}
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            self.grouped |= set(node.modifier.labels)
        elif isinstance(node, promql_parser.BinaryExpr) and node.modifier is not None and node.modifier.matching:
            self.grouped |= set(node.modifier.matching.labels)
