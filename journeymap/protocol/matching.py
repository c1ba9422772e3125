"""Whether a subscription is the one that was asked for."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from journeymap.protocol.exchange import Subscribed

_DEAD_STATUS: Final = frozenset({"failed", "error", "inactive", "disabled", "expired", "deleted", "rejected", "closed"})


def mismatch(answer: Subscribed, callback_url: str, connection_id: str | None) -> str:
    """In what the platform's answer does not fit the live connection, in a few words; empty if it fits.

    The platform need not say everything: what it leaves out is no contradiction.
    """
    if answer.callback_url is not None and not _same_url(answer.callback_url, callback_url):
        return "another callback URL"
    if None not in (answer.connection_id, connection_id) and answer.connection_id != connection_id:
        return "another connection id"
    if answer.status is not None and answer.status.lower() in _DEAD_STATUS:
        return f"its status is {answer.status}"
    return ""


def _same_url(one: str, other: str) -> bool:
    try:
        left, right = urlsplit(one), urlsplit(other)
        return one == other or (
            (left.scheme, left.hostname, left.port, left.query)
            == (right.scheme, right.hostname, right.port, right.query)
            and left.path.rstrip("/") == right.path.rstrip("/")
        )
    except ValueError:
        return False
