"""Filters of analytics queries, held against records: predicates on conversations, on their segments, on activity."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec

Values = Mapping[str, Any]


class Range(msgspec.Struct, frozen=True):
    """Limits of a number."""

    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None

    def holds(self, value: float) -> bool:
        """Whether the value is within all limits given."""
        return (
            (self.gt is None or value > self.gt)
            and (self.gte is None or value >= self.gte)
            and (self.lt is None or value < self.lt)
            and (self.lte is None or value <= self.lte)
        )


class Predicate(msgspec.Struct, frozen=True):
    """One condition on a dimension or a metric."""

    type: Literal["dimension", "metric"] = "dimension"
    dimension: str = ""
    metric: str = ""
    operator: Literal["matches", "exists", "notExists"] = "matches"
    value: str | None = None
    range: Range | None = None

    def holds(self, values: Values) -> bool:
        """Whether it is true of these values."""
        found = values.get(self.metric if self.type == "metric" else self.dimension)
        if self.operator != "matches":
            return (found is not None) == (self.operator == "exists")
        if self.range is not None:
            return isinstance(found, int | float) and self.range.holds(found)
        wanted = (self.value or "").lower()
        several = found if isinstance(found, list) else [found]
        return any(one is not None and _text(one) == wanted for one in several)


class Clause(msgspec.Struct, frozen=True):
    """Predicates of which all or one must hold."""

    type: Literal["and", "or"]
    predicates: list[Predicate] = []

    def holds(self, values: Values) -> bool:
        """Whether it is true of these values."""
        results = [predicate.holds(values) for predicate in self.predicates]
        return all(results) if self.type == "and" else any(results)


class Filter(msgspec.Struct, frozen=True):
    """Predicates and clauses of which all or one must hold."""

    type: Literal["and", "or"]
    clauses: list[Clause] = []
    predicates: list[Predicate] = []

    def holds(self, values: Values) -> bool:
        """Whether it is true of these values."""
        parts: list[Clause | Predicate] = [*self.clauses, *self.predicates]
        results = [part.holds(values) for part in parts]
        return all(results) if self.type == "and" else any(results)


class Paging(msgspec.Struct, frozen=True, rename="camel"):
    """Which page."""

    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 25
    page_number: Annotated[int, msgspec.Meta(ge=1)] = 1


class Query(msgspec.Struct, frozen=True, rename="camel"):
    """A query for conversations' details. Of its parts those that say how to add up are not known here."""

    interval: str
    order: Literal["asc", "desc", "unordered"] = "asc"
    order_by: Literal["conversationStart", "conversationEnd", "segmentStart", "segmentEnd"] = "conversationStart"
    conversation_filters: list[Filter] = []
    segment_filters: list[Filter] = []
    paging: Paging = Paging()

    @property
    def looks_inside(self) -> bool:
        """Whether it takes more than a conversation's beginning and end to answer it."""
        return bool(self.conversation_filters or self.segment_filters)

    def wants(self, record: dict[str, Any]) -> bool:
        """Whether the record passes all filters: each segment filter by some segment of it."""
        if not all(part.holds(record | {"divisionId": record["divisionIds"]}) for part in self.conversation_filters):
            return False
        segments = list(_segments(record)) if self.segment_filters else []
        return all(any(part.holds(segment) for segment in segments) for part in self.segment_filters)


class ActivityMetric(msgspec.Struct, frozen=True):
    """What is counted of conversations in progress, and whether each is to be named."""

    metric: Literal["oWaiting", "oAlerting", "oInteracting"]
    details: bool = False


class ActivityQuery(msgspec.Struct, frozen=True, rename="camel"):
    """A query for what is in progress now."""

    metrics: list[ActivityMetric]
    group_by: list[Literal["queueId", "mediaType", "userId", "direction"]] = []
    filter: Filter | None = None


def _segments(record: dict[str, Any]) -> Iterator[Values]:
    """Each segment with all that its session and its participant say too."""
    for participant in record["participants"]:
        for session in participant["sessions"]:
            metrics = {metric["name"]: metric["value"] for metric in session.get("metrics", ())}
            for segment in session["segments"]:
                yield ChainMap(segment, session, session.get("flow", {}), metrics, participant)


def _text(value: Any) -> str:
    return str(value).lower()
