"""Changes of an external contact: one that was merged into another makes the two one customer."""

from __future__ import annotations

from typing import Any

from journeymap.decode.genesys.fact import Fact
from journeymap.decode.genesys.reading import first_date, mapping, text
from journeymap.model.event import MERGED
from journeymap.model.time import Millis


def facts(body: dict[str, Any], arrived_at: Millis) -> list[Fact] | str:
    """The merges that a contact's change tells of, or the reason why there are none. `arrived_at` (0: not known) is our clock."""
    at = first_date(body.get("modifyDate"), arrived_at)
    if at is None:
        return "bad-timestamp"
    merge = mapping(body.get("mergeOperation"))
    own = text(body.get("id"))
    named = (
        text(merge.get("resultingContactId"))
        or text(body.get("mergedTo"))
        or text(body.get("canonicalContactId"))
        or text(merge.get("targetContactId"))
    )
    target = named or own
    merged = _names(body.get("mergedFrom"))
    # A set alone does not say which of them stands for all.
    alike = _names(body.get("mergeSet")) if named or merged else []
    sources = dict.fromkeys(
        [*merged, text(merge.get("sourceContactId")), text(merge.get("targetContactId")), *alike, own]
    )
    found = [
        {
            "eventId": f"contact.merged:{source}:{target}",
            "type": MERGED,
            "timestamp": at,
            "payload": {"fromCustomerId": source, "toCustomerId": target},
        }
        for source in sources
        if source is not None and target is not None and source != target
    ]
    return found or "nothing-told"


def _names(value: Any) -> list[str]:
    given = value if isinstance(value, list) else [value]
    return [name for item in given if (name := text(item)) is not None]
