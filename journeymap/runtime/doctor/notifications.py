"""The Notification service: queues, topics, a channel of our own with a trial subscription, its socket, and the way back."""

from __future__ import annotations

import contextlib
import json
import selectors
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote, urlsplit

from journeymap.errors import ForbiddenError, RequestError, SourceError, TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.notifications.limits import MOST_CHANNELS, MOST_TOPICS, USED_CHANNELS
from journeymap.protocol.notifications.topics import (
    Offer,
    contact_topic,
    detail_topic,
    pattern_of,
    queue_topic,
    read_offer,
    read_refusals,
)
from journeymap.protocol.websocket import CLOSE, PING, PONG
from journeymap.runtime.doctor.examination import Check, Progress
from journeymap.runtime.doctor.interrupts import held_back
from journeymap.runtime.doctor.outcome import Outcome, fail, failed, ok, skip, warn
from journeymap.runtime.doctor.publicapi import CLIENTS, NAMES, QUEUES, RECORDS, guarded, lacking, public_part
from journeymap.source.publicapi.client import PublicApi
from journeymap.source.publicapi.config import PublicApiConfig
from journeymap.source.steady import monotonic_ms
from journeymap.source.transport import tls_context
from journeymap.source.websocket import HandshakeRefusal, StreamSocket
from journeymap.view.labels import duration
from journeymap.view.permissions import permission_words

CHANNELS: Final = "/api/v2/notifications/channels"
AVAILABLE: Final = "/api/v2/notifications/availabletopics"
_EXPAND: Final = "transports,requiresPermissions"
_PING: Final = b'{"message":"ping"}'
_TOLD_EVERY: Final = 0.25
_LOST_WITH: Final = (
    ("v2.routing.", "conversations in queues are not heard of", False),
    ("v2.detail.", "what happens in a conversation is seen in snapshots of it only", True),
    ("v2.externalcontacts.", "merges of contacts are not heard of", True),
)
"""What is not to be had without topics that begin so, and whether the source can do without."""


@contextlib.contextmanager
def notification_checks(
    config: PublicApiConfig,
    section: str,
    clock: Callable[[], Millis],
    patience: Millis,
    needs: tuple[Check, ...] = (),
    credentials: tuple[Check, ...] = (),
) -> Iterator[list[Check]]:
    """The checks of the source `notifications`; `patience` is how long a sign of life on the socket is waited for. What they
    made on the platform is without topics at the end, and ends by itself."""
    needed = (QUEUES, *RECORDS, *NAMES)
    with public_part(config, section, clock, patience, needed, needs, credentials) as part:
        if part.api is None or part.way is None or part.organisation is None:
            yield list(part.checks)
            return
        service = ServiceChecks(config, part.api, clock, patience)
        seen = next(check for check in part.checks if check.about == permission_words(QUEUES.permission))
        queues = Check(section, "queues", guarded(service.queues), (seen,))
        topics = Check(section, "topics", guarded(service.topics), (part.organisation,))
        channels = Check(section, "channels", guarded(service.channels), (part.organisation,))
        subscription = Check(section, "subscription", guarded(service.subscription), (queues, topics, channels))
        socket = Check(section, "socket", service.socket, (channels, part.way.secure(config.stream_url)))
        first_sign = Check(section, "first-sign", service.first_sign, (socket,))
        deletion = Check(section, "deletion", guarded(service.deletion), (channels,))
        try:
            yield [*part.checks, queues, topics, channels, subscription, socket, first_sign, deletion]
        finally:
            service.close()


class ServiceChecks:
    """One topic channel and one socket, apart from those of a running ingest. `close` takes its topics back."""

    def __init__(self, config: PublicApiConfig, api: PublicApi, clock: Callable[[], Millis], patience: Millis) -> None:
        self._host = urlsplit(config.stream_url).netloc
        self._config = config
        self._api = api
        self._clock = clock
        self._patience = patience
        self._count = 0
        self._queue: str | None = None
        self._offer = Offer()
        self._channel: str | None = None
        self._uri = ""
        self._socket: StreamSocket | None = None
        self._subscribed = False

    def queues(self, _: Progress) -> Outcome:
        """How many queues there are for this client."""
        page = self._api.get("/api/v2/routing/queues", {"pageSize": 1})
        listed = [each for each in page.get("entities") or () if isinstance(each, dict) and each.get("id")]
        total = page.get("total")
        self._count = total if isinstance(total, int) else len(listed)
        self._queue = str(listed[0]["id"]) if listed else None
        return judge_queues(self._count)

    def topics(self, _: Progress) -> Outcome:
        """What can be had over a socket here."""
        try:
            self._offer = offer = read_offer(self._api.get(AVAILABLE, {"expand": _EXPAND, "includePreview": "true"}))
        except (RequestError, ForbiddenError) as error:
            return warn(f"not said: {error}", "the subscription shows what is granted")
        return judge_offer(offer)

    def channels(self, _: Progress) -> Outcome:
        """Makes a channel, if one more takes nothing away from others."""
        found = self._api.get(CHANNELS, {"includechannels": "oauthclient"})
        count = len([each for each in found.get("entities") or () if isinstance(each, dict)])
        if count >= MOST_CHANNELS:
            # The platform would remove another for one more, and it does not say which of them are in use.
            return warn(
                f"{count} of {MOST_CHANNELS} are there: none is made for a trial, or another would be removed",
                f"use an OAuth client for Journeymap alone ({CLIENTS}), or wait: a channel that is not in use ends within a day",
            )
        with held_back():  # or its id would not be known
            made = self._api.post(CHANNELS)
            self._channel = str(made.get("id") or "") or None if isinstance(made, dict) else None
        if self._channel is None:
            return fail(
                "a channel was made without an id", "check API_URL; if it is right, tell the platform's support"
            )
        self._uri = str(made.get("connectUri") or "")
        host = urlsplit(self._uri).netloc
        if host != self._host:
            return fail(
                f"its socket is at {host or 'no address'}, not at {self._host}",
                f"set REGION, or STREAM_URL to wss://{host}",
            )
        return judge_channels(count, self._count)

    def subscription(self, _: Progress) -> Outcome:
        """Asks for a topic of each sort, to see which are refused."""
        if self._channel is None:
            return skip("needs a channel")
        asked = [topic for topic in self._trial() if topic is not None]
        if not asked:
            return skip("needs a queue, or topics that are offered")
        self._subscribed = True
        answer = self._api.post(
            f"{CHANNELS}/{quote(self._channel)}/subscriptions",
            [{"id": topic} for topic in asked],
            {"ignoreErrors": "true"},
        )
        return judge_subscription(asked, answer)

    def socket(self, _: Progress) -> Outcome:
        """Whether the channel's socket can be opened."""
        if self._channel is None or not self._uri:
            return skip("needs a channel")
        began = monotonic_ms()
        self._socket = StreamSocket(self._uri, self._config.request_timeout, tls_context(), self._clock)
        try:
            self._socket.open()
        except HandshakeRefusal as refusal:
            self._socket = None
            return fail(
                f"refused with status {refusal.status}",
                "see what stands between here and the stream: it must let WebSocket through",
            )
        except TransientSourceError as error:
            self._socket = None
            return failed(error, "check STREAM_URL; a proxy in between has to let WebSocket through")
        return ok(f"{self._host} is open after {duration(monotonic_ms() - began)}")

    def first_sign(self, waits: Progress) -> Outcome:
        """Whether anything comes on it: the answer to a ping, a heartbeat, or an event."""
        stream = self._socket
        if stream is None:
            return skip("needs the socket")
        stream.say(_PING)
        began = monotonic_ms()
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while (waited := monotonic_ms() - began) < self._patience:
                waits(f"waiting for an answer to a ping, {waited // SECOND} of {self._patience // SECOND} s")
                if not selector.select(min(_TOLD_EVERY, (self._patience - waited) / SECOND)):
                    continue
                messages = stream.receive()
                if messages is None:
                    return _ended()
                for opcode, data in messages:
                    if opcode == CLOSE:
                        return _ended()
                    if opcode == PING:
                        stream.pong(data)
                    elif opcode != PONG and (what := _sign(data)) is not None:
                        return ok(f"{what} after {duration(monotonic_ms() - began)}")
        return fail(
            f"neither an answer to a ping nor a heartbeat within {duration(self._patience)}",
            "see whether something in between holds frames back; --timeout waits longer",
        )

    def deletion(self, _: Progress) -> Outcome:
        """Takes the topics back. A channel itself cannot be deleted."""
        if self._channel is None:
            return skip("no channel was made")
        said = self._let_go()
        if said is not None:
            return warn(f"the topics of {self._channel} are still there: {said}", "they end with it, within a day")
        return ok("its topics are gone; unused it ends within a day, and is the first to go when others need its room")

    def close(self) -> None:
        """Take the topics back if the check did not, and close the socket. Raises nothing."""
        self._let_go()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _trial(self) -> Iterator[str | None]:
        anybody = str(uuid.uuid4())
        if self._queue is not None:
            yield queue_topic(self._queue)
        if self._offer.kinds:
            yield detail_topic(anybody, self._offer.kinds[:1])
        if self._offer.contacts:
            yield contact_topic(anybody)

    def _let_go(self) -> str | None:
        """Why the topics could not be taken back; None if they were, or there are none."""
        if self._channel is None or not self._subscribed:
            return None
        self._subscribed = False
        try:
            with held_back():
                self._api.delete(f"{CHANNELS}/{quote(self._channel)}/subscriptions")
        except SourceError as error:
            return str(error)
        return None


def judge_queues(count: int) -> Outcome:
    """How many queues mean what."""
    if not count:
        return fail(
            "none is found: no conversation would be heard of",
            f"the roles of the client show it only queues of their divisions: choose these in {CLIENTS}, the client, Roles; and"
            " see that the organisation has queues",
        )
    room = USED_CHANNELS * MOST_TOPICS
    if count > room:
        return warn(
            f"{count:,}, of which {room:,} ({room * 100 // count} %) find room in {USED_CHANNELS} channels",
            "the source eventbridge hears all conversations; or share the queues out over several OAuth clients by divisions",
        )
    channels = -(-count // MOST_TOPICS)
    return ok(f"{count:,} found, for which {channels} channel{'s' * (channels > 1)} will do")


def judge_offer(offer: Offer) -> Outcome:
    """What the platform offers over a socket."""
    needs = ", ".join(dict.fromkeys(permission_words(each) for needed in offer.permissions.values() for each in needed))
    behind = f"; they need {needs}" if needs else ""
    if not offer.queues:
        return fail(
            "conversations in queues cannot be had over a socket here",
            "use the source eventbridge; tell the platform's support",
        )
    if not offer.kinds:
        return ok(f"snapshots of conversations in queues; detail events only by the source eventbridge{behind}")
    return ok(f"snapshots of conversations in queues, and {len(offer.kinds)} kinds of detail events{behind}")


def judge_channels(count: int, queues: int) -> Outcome:
    """How many channels there are, before the one made for the trial."""
    wanted = max(1, -(-queues // MOST_TOPICS))
    found = f"{count} of {MOST_CHANNELS} were there, and one more was made for this trial"
    if count + 1 + wanted > MOST_CHANNELS:
        return warn(
            f"{found}; ingest needs {wanted}, unless some of these are its own",
            f"use an OAuth client for Journeymap alone ({CLIENTS}): with more than {MOST_CHANNELS} the platform removes one",
        )
    return ok(found)


def judge_subscription(asked: Sequence[str], answer: Any) -> Outcome:
    """Which sorts of topics are refused, and for want of which permission."""
    refused = read_refusals(answer)
    for_permission = [each for each in refused if each.permissions]
    if not for_permission:
        others = "; ".join(f"{pattern_of(each.topic)}: {each.reason or 'no reason given'}" for each in refused)
        if any(each.topic.startswith(_LOST_WITH[0][0]) for each in refused):
            return fail(f"refused: {others}", "tell the platform's support what it says")
        granted = len(asked) - len(refused)
        return ok(f"{granted} topic{'s' * (granted != 1)} granted" + (f"; not granted: {others}" if others else ""))
    missing = dict.fromkeys(permission_words(name) for each in for_permission for name in each.permissions)
    lost = [
        (text, spare)
        for begin, text, spare in _LOST_WITH
        if any(each.topic.startswith(begin) for each in for_permission)
    ]
    topics = ", ".join(dict.fromkeys(pattern_of(each.topic) for each in for_permission))
    without = f"{' and '.join(text for text, _ in lost) or 'some topics are refused'} ({topics})"
    return lacking(list(missing), without, dispensable=bool(lost) and all(spare for _, spare in lost))


def _ended() -> Outcome:
    return fail("the platform ended the connection", "try again; if it stays so, tell the platform's support")


def _sign(data: bytes) -> str | None:
    """What a message is a sign of; None if it is none."""
    try:
        said = json.loads(data)
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("topicName"), str):
        return None
    if said["topicName"] != "channel.metadata":
        return "an event"
    body = said.get("eventBody")
    return "a ping was answered" if isinstance(body, dict) and body.get("message") == "pong" else "a heartbeat"
