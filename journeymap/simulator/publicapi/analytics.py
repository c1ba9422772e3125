"""Analytics and conversations: what was, by query and by id, and what is in progress."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from journeymap.simulator.answers import json_answer
from journeymap.simulator.platform import Platform
from journeymap.simulator.publicapi.chronicle import Chronicle
from journeymap.simulator.publicapi.conventions import Conventions, bad_request, not_found
from journeymap.simulator.publicapi.conversation import Conversation
from journeymap.simulator.publicapi.filters import ActivityQuery, Query
from journeymap.simulator.publicapi.parties import addresses
from journeymap.simulator.publicapi.queries import Queries, interval_of
from journeymap.simulator.publicapi.records import record
from journeymap.simulator.publicapi.snapshots import whole
from journeymap.simulator.publicapi.stamps import stamp

DETAILS_PATH: Final = "/api/v2/analytics/conversations/details"
ACTIVITY_PATH: Final = "/api/v2/analytics/conversations/activity/query"
MOST_ENTITIES: Final = 1_000
"""So many conversations are named in each group of an activity query; where there are more, it says so."""
_MOST_RECORDS: Final = 100_000
_DETAILS: Final = "analytics:conversationDetail:view"
_OBSERVATIONS: Final = "analytics:conversationAggregate:view"
_CONVERSATIONS: Final = "conversation:communication:view"
_AT_ONCE: Final = 100

_Asked = TypeVar("_Asked")


class Analytics:
    """Answers queries for conversations."""

    def __init__(self, platform: Platform, chronicle: Chronicle | None, queries: Queries) -> None:
        self._platform = platform
        self._chronicle = chronicle
        self._queries = queries

    def routes(self, conventions: Conventions) -> list[Route]:
        """The routes."""
        route = conventions.route
        return [
            route("POST", DETAILS_PATH + "/query", self.details, _DETAILS),
            route("GET", DETAILS_PATH, self.several, _DETAILS),
            route("POST", ACTIVITY_PATH, self.activity, _OBSERVATIONS),
            route("GET", "/api/v2/analytics/conversations/{conversation_id}/details", self.one, _DETAILS),
            route("GET", "/api/v2/conversations", self.own, _CONVERSATIONS),
            route("GET", "/api/v2/conversations/{conversation_id}", self.conversation, _CONVERSATIONS),
        ]

    async def details(self, request: Request, _: str) -> Response:
        """POST of a details query: a page of the records."""
        query = _read(await request.body(), Query)
        interval, at = interval_of(query.interval), self._seen_until()
        self._queries.check(interval, self._platform.now())
        size, number = query.paging.page_size, query.paging.page_number
        most = self._platform.faults.query_records or _MOST_RECORDS
        if size * number > most:
            raise bad_request(f"Pagination may not exceed {most} results")
        found = await self._queries.found(query, interval, at)
        page = found[(number - 1) * size : number * size]
        said: dict[str, Any] = {"totalHits": len(found)}
        # An empty page has no conversations, not even an empty list of them.
        return json_answer(({"conversations": [self._queries.record(one, at) for one in page]} if page else {}) | said)

    async def one(self, request: Request, _: str) -> Response:
        """GET of one record."""
        at = self._seen_until()
        return json_answer(record(self._existing(request.path_params["conversation_id"], at), at))

    async def several(self, request: Request, _: str) -> Response:
        """GET of the records with these ids; those that there are not are left out."""
        at = self._seen_until()
        names = [name for text in request.query_params.getlist("id") for name in text.split(",")]
        found = [self._known(name, at) for name in names]
        return json_answer({"conversations": [record(one, at) for one in found if one is not None]})

    async def conversation(self, request: Request, _: str) -> Response:
        """GET of a conversation as it stands now."""
        now = self._platform.now()
        return json_answer(whole(self._existing(request.path_params["conversation_id"], now), now))

    async def own(self, _: Request, __: str) -> Response:
        """GET of the user's own conversations; no user is behind client credentials, so there are none."""
        return json_answer({"entities": []})

    async def activity(self, request: Request, _: str) -> Response:
        """POST of an activity query: what is in progress now, counted and named."""
        query = _read(await request.body(), ActivityQuery)
        groups: dict[tuple[str, ...], dict[str, list[dict[str, Any]]]] = {}
        if self._chronicle is not None:
            now = self._platform.now()
            await self._chronicle.prepare(now, now + 1)
            for number, found in enumerate(self._chronicle.open_between(now, now + 1)):
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
                for entity in _activity(self._chronicle.conversation(found), now):
                    if query.filter is None or query.filter.holds(entity):
                        group = groups.setdefault(tuple(str(entity.get(name, "")) for name in query.group_by), {})
                        group.setdefault(entity["metric"], []).append(entity)
        results = [_result(query, group, by_metric) for group, by_metric in sorted(groups.items())]
        return json_answer({"results": results, "entityIdDimension": "conversationId"})

    def _seen_until(self) -> int:
        """Analytics may be behind."""
        return self._platform.now() - round(self._platform.faults.analytics_lag * 1000)

    def _known(self, name: str, at: int) -> Conversation | None:
        found = self._chronicle.of_id(name) if self._chronicle is not None else None
        return found if found is not None and found.start <= at else None

    def _existing(self, name: str, at: int) -> Conversation:
        found = self._known(name, at)
        if found is None:
            raise not_found("conversation", name)
        return found


def _read(body: bytes, kind: type[_Asked]) -> _Asked:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(str(error), "invalid.value") from None


def _activity(conversation: Conversation, at: int) -> Iterator[dict[str, Any]]:
    """What is going on in a conversation at this time: a wait, an alert, a talk."""
    customer = {name: value for name, value in addresses(conversation).items() if not name.startswith("callback")}
    for leg in conversation.legs:
        if not (leg.queue_id and leg.start <= at and (leg.end is None or leg.end > at)) or leg.purpose == "voicemail":
            continue
        talks = bool(leg.user_id) and leg.connected_at is not None and leg.connected_at <= at
        metric = "oInteracting" if talks else "oAlerting" if leg.user_id else "oWaiting"
        entity: dict[str, Any] = {
            "metric": metric,
            "activityDate": stamp(leg.connected_at if talks and leg.connected_at is not None else leg.start),
            "conversationId": conversation.conversation_id,
            "sessionId": leg.session_id,
            "mediaType": conversation.channel,
            "direction": conversation.direction,
            "queueId": leg.queue_id,
            "participantName": conversation.customer.name,
            "requestedRoutings": ["Standard"],
            "routingPriority": 0,
        }
        yield entity | customer | ({"userId": leg.user_id} if leg.user_id else {})


def _result(query: ActivityQuery, group: tuple[str, ...], found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    named = [entity for metric in query.metrics if metric.details for entity in found.get(metric.metric, ())]
    said: dict[str, Any] = {
        "group": {name: value for name, value in zip(query.group_by, group, strict=True) if value},
        "data": [
            {"metric": metric.metric, "count": len(found[metric.metric])}
            for metric in query.metrics
            if metric.metric in found
        ],
        "truncated": len(named) > MOST_ENTITIES,
    }
    return said | ({"entities": named[:MOST_ENTITIES]} if named else {})
