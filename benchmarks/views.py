"""What differs from viewer to viewer, whoever the customers are: filters, orders, groups, and where they have scrolled to."""

from __future__ import annotations

from typing import Any, Final

from journeymap.model.time import MINUTE

VIEWS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"sort": "wait"},
    {"sort": "state", "group": "queue"},
    {"sort": "duration", "group": "state"},
    {"sort": "transfers", "channels": ["voice"]},
    {"text": "42"},
    {"customer": "cust-1", "states": ["ACTIVE", "INITIATED"]},
    {"flags": ["waiting-long"], "group": "queue"},
    {"directions": ["inbound"], "min_duration": MINUTE, "sort": "duration"},
    {"min_transfers": 1, "sort": "transfers", "group": "queue"},
    {"states": ["IDLE"], "sort": "state"},
    {"offset": 5_000, "sort": "wait"},
    {"channels": ["email"], "group": "state"},
    {"max_duration": MINUTE},
    {"states": ["INITIATED"], "sort": "wait", "group": "queue"},
)
