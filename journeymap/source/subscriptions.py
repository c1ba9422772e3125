"""Makes and deletes subscriptions over the platform's API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from journeymap.model.time import SECOND
from journeymap.protocol.exchange import Subscribed, SubscribeFailed
from journeymap.protocol.frames import MAX_ID
from journeymap.source.transport import HttpClient

_PATH: Final = "/api/v2/eventstreams/subscriptions"
_DELETION: Final = 3 * SECOND


class SubscriptionClient:
    """One account's subscriptions."""

    def __init__(self, api_url: str, event_types: Sequence[str], max_events_per_second: int, http: HttpClient) -> None:
        self._url = api_url + _PATH
        self._event_types = list(event_types)
        self._max_events_per_second = max_events_per_second
        self._http = http

    def subscribe(
        self, connection: int, token: str, callback_url: str, at_most: int | None = None
    ) -> Subscribed | SubscribeFailed:
        """Ask for the events to be sent to that callback URL, `at_most` so many a second instead of the usual number.
        Raises `TransientSourceError` if there is no answer."""
        asked = self._max_events_per_second if at_most is None else at_most
        wish = {
            "resourceTypes": ["interaction"],
            "filters": {"eventTypes": self._event_types},
            "callbackUrl": callback_url,
            "maxEventsPerSecond": asked,
            "filterByCustomerId": True,
        }
        answer = self._http.request("POST", self._url, document=wish, bearer=token)
        if answer.status not in (200, 201):
            hint = "; check the client's roles and scopes" if answer.status in (401, 403) else ""
            message = f"{self._http.where} answered the subscription with status {answer.status}{hint}"
            return SubscribeFailed(connection, message, answer.status, answer.retry_after)
        fields = answer.fields()
        name = fields.get("id")
        if isinstance(name, int) and not isinstance(name, bool):
            name = str(name)[:MAX_ID]
        if not isinstance(name, str) or not 0 < len(name) <= MAX_ID:
            return SubscribeFailed(connection, f"{self._http.where} answered the subscription without an id")
        texts = [fields.get(key) for key in ("callbackUrl", "connectionId", "status")]
        callback, connection_id, status = (text if isinstance(text, str) else None for text in texts)
        rate = fields.get("maxEventsPerSecond")
        rate = rate if isinstance(rate, int) and not isinstance(rate, bool) else None
        return Subscribed(connection, name, callback, connection_id, status, rate, asked)

    def unsubscribe(self, token: str, subscription: str) -> int:
        """Delete it; answers the HTTP status. Raises `TransientSourceError` if there is no answer soon: others wait."""
        url = f"{self._url}/{quote(subscription, safe='')}"
        return self._http.request("DELETE", url, bearer=token, patience=_DELETION).status
