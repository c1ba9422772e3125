"""The stream itself: WebSocket, greeting, a subscription of our own, its first sign of life, and its deletion."""

from __future__ import annotations

import selectors
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Final

from journeymap.decode.event import REASONS, decode_frame
from journeymap.errors import TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.exchange import Subscribed
from journeymap.protocol.frames import Heartbeat, Opened, Throttle, classify
from journeymap.protocol.matching import mismatch
from journeymap.protocol.websocket import CLOSE, PING, PONG, read_close
from journeymap.runtime.doctor.account import AccountChecks
from journeymap.runtime.doctor.examination import Progress
from journeymap.runtime.doctor.interrupts import held_back
from journeymap.runtime.doctor.outcome import Outcome, fail, failed, ok, skip, warn
from journeymap.source.config import EventStreamsConfig
from journeymap.source.eventstreams import CALLBACK_PATH
from journeymap.source.steady import monotonic_ms
from journeymap.source.subscriptions import SubscriptionClient
from journeymap.source.transport import HttpClient
from journeymap.source.websocket import HandshakeRefusal, StreamSocket
from journeymap.view.labels import duration

THROTTLE_WATCH: Final = 2 * SECOND
"""How long is listened after subscribing, at least: the platform says once a second what it left out."""

_TOLD_EVERY: Final = 0.25
_GONE: Final = (404, 410)


class StreamChecks:
    """One connection and one subscription, apart from those of a running ingest. `close` leaves nothing behind."""

    def __init__(
        self,
        config: EventStreamsConfig,
        account: AccountChecks,
        http: HttpClient,
        tls: ssl.SSLContext,
        clock: Callable[[], Millis],
        patience: Millis,
    ) -> None:
        self._config = config
        self._account = account
        self._clock = clock
        self._patience = patience
        self._stream = StreamSocket(config.stream_url, config.request_timeout, tls, clock)
        self._subscriptions = SubscriptionClient(config.api_url, config.event_types, config.max_events_per_second, http)
        self._is_open = False
        self._callback_url = config.stream_url + CALLBACK_PATH
        self._connection_id: str | None = None
        self._subscription: Subscribed | None = None
        self._subscribed_at: Millis = 0
        self._first_at: Millis | None = None
        self._closed: tuple[int, str] | None = None
        self._throttled: list[Throttle] = []
        self._greeted = False
        self._frames = 0
        self._events: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()

    # The checks

    def handshake(self, _: Progress) -> Outcome:
        """Whether the stream takes the token."""
        token = self._account.token
        if token is None:
            return skip("needs a token")
        began = monotonic_ms()
        try:
            self._stream.open(token.value, self._config.token_in_query)
        except HandshakeRefusal as refusal:
            return judge_handshake(refusal.status, refusal.retry_after)
        except TransientSourceError as error:
            return failed(error, "check STREAM_URL; a proxy in between has to let WebSocket through")
        self._is_open = True
        return ok(f"{self._config.stream_url} is open after {duration(monotonic_ms() - began)}")

    def greeting(self, waits: Progress) -> Outcome:
        """What the platform calls this connection."""
        if not self._is_open:
            return skip("needs the connection")
        limit = self._config.limits.greeting
        self._listen(limit, lambda: self._greeted, lambda _: waits("waiting for the greeting"))
        if self._closed is not None:
            return self._ended()
        if not self._greeted:
            return ok(f"none within {duration(limit)}; the configured callback URL stands: {self._callback_url}")
        return ok(f"connection {self._connection_id or 'without an id'}, callback URL {self._callback_url}")

    def subscription(self, _: Progress) -> Outcome:
        """Whether a subscription can be made for this connection."""
        token = self._account.token
        if token is None or not self._is_open or self._closed is not None:
            return skip("needs the connection")
        try:
            with held_back():  # or its id would not be known, and it could not be deleted
                answer = self._subscriptions.subscribe(1, token.value, self._callback_url)
                self._subscription = answer if isinstance(answer, Subscribed) else None
        except TransientSourceError as error:
            return failed(error, "check API_URL; if it is right, try again in a while")
        self._subscribed_at = monotonic_ms()
        if not isinstance(answer, Subscribed):
            return judge_subscribing(answer.message, answer.status)
        return judge_subscription(
            answer,
            mismatch(answer, self._callback_url, self._connection_id),
            self._connection_id,
            self._config.max_events_per_second,
        )

    def first_sign(self, waits: Progress) -> Outcome:
        """Whether the subscription brings anything: an event or a heartbeat."""
        if self._subscription is None:
            return skip("needs a subscription")
        limit = self._patience

        def told(waited: Millis) -> None:
            waits(f"waiting for the first event or heartbeat, {waited // SECOND} of {limit // SECOND} s")

        self._listen(limit, lambda: self._first_at is not None, told)
        if self._first_at is None:
            return self._ended() if self._closed is not None else judge_silence(limit)
        after = max(0, self._first_at - self._subscribed_at)
        if not self._frames:
            return ok(f"a heartbeat after {duration(after)}; no event yet")
        return judge_first_frames(after, self._frames, self._events, self._rejected)

    def throttle(self, waits: Progress) -> Outcome:
        """Whether the platform leaves events out."""
        if self._subscription is None:
            return skip("needs a subscription")
        left = self._subscribed_at + min(THROTTLE_WATCH, self._patience) - monotonic_ms()
        self._listen(max(0, left), lambda: False, lambda _: waits("listening for throttle frames"))
        watched = duration(monotonic_ms() - self._subscribed_at)
        if not self._throttled:
            return ok(f"none within {watched}")
        count, dropped = len(self._throttled), sum(each.dropped for each in self._throttled)
        return warn(
            f"{count} throttle frame{'s' * (count > 1)} within {watched}, {dropped:,} events left out",
            f"raise MAX_EVENTS_PER_SECOND above {self._config.max_events_per_second}, as far as the platform allows",
        )

    def deletion(self, _: Progress) -> Outcome:
        """Deletes the subscription."""
        subscription, token = self._subscription, self._account.token
        if subscription is None or token is None:
            return skip("no subscription was made")
        with held_back():
            self._subscription = None
            try:
                status = self._subscriptions.unsubscribe(token.value, subscription.subscription)
            except TransientSourceError as error:
                return _left_behind(subscription.subscription, str(error))
        if status >= 300 and status not in _GONE:
            return _left_behind(subscription.subscription, f"answered with status {status}")
        return ok(f"subscription {subscription.subscription} is deleted (status {status})")

    def close(self) -> None:
        """Delete the subscription if the check did not, and say goodbye. Raises nothing."""
        self.deletion(lambda _: None)
        self._stream.close()

    # What is heard

    def _listen(self, limit: Millis, enough: Callable[[], bool], told: Callable[[Millis], None]) -> None:
        """Take in what comes until it is enough, the stream has ended, or `limit` is over."""
        began = monotonic_ms()
        with selectors.DefaultSelector() as selector:
            if self._is_open and self._closed is None:
                selector.register(self._stream, selectors.EVENT_READ)
            while not enough() and self._closed is None and (waited := monotonic_ms() - began) < limit:
                told(waited)
                if selector.select(min(_TOLD_EVERY, (limit - waited) / SECOND)):
                    self._receive()

    def _receive(self) -> None:
        messages = self._stream.receive()
        if messages is None:
            self._closed = (0, "")
            return
        for opcode, payload in messages:
            if opcode == CLOSE:
                self._closed = read_close(payload)
                return
            if opcode == PING:
                self._stream.pong(payload)
            elif opcode != PONG:
                self._take(payload)

    def _take(self, frame: bytes) -> None:
        match classify(frame):
            case Opened() as opened:
                self._greeted = True
                self._connection_id = opened.connection_id or self._connection_id
                self._callback_url = opened.callback_url or self._callback_url
                return
            case Throttle() as throttle:
                self._throttled.append(throttle)
                return
            case Heartbeat():
                pass
            case None:
                self._frames += 1
                events, rejected = decode_frame(frame, self._clock())
                self._events.update(event.type for event in events)
                self._rejected.update(each.reason for each in rejected)
        if self._subscription is not None and self._first_at is None:
            self._first_at = monotonic_ms()

    def _ended(self) -> Outcome:
        code, reason = self._closed or (0, "")
        said = f" (code {code}{f', {reason}' if reason else ''})" if code else " without a word"
        return fail(
            f"the platform ended the connection{said}",
            "see whether another client with these credentials pushes it out, and what the platform allows this one",
        )


def judge_handshake(status: int, retry_after: Millis | None) -> Outcome:
    """An HTTP status instead of a WebSocket."""
    found = f"refused with status {status}"
    if status == 401:
        return fail(
            f"{found}: the stream does not take the token that the login server granted",
            "see that LOGIN_URL and STREAM_URL are of one region and one organisation",
        )
    if status == 403:
        return fail(
            f"{found}: this client may not read the stream, or there is none at this place",
            "give the client the right to read event streams on the platform; if it has it, check the path of STREAM_URL",
        )
    if status in (404, 405, 400, 426, 200):
        return fail(f"{found}: no event stream is offered there", "check host and path of STREAM_URL")
    if status in (429, 503):
        wait = "" if retry_after is None else f"; it asks to wait {duration(retry_after)}"
        return fail(f"{found}{wait}", "try again then; if it stays so, too many clients use this account")
    if 300 <= status < 400:
        return fail(f"{found}, a redirect, which would carry the token away", "set STREAM_URL to where it leads")
    return fail(found, "the platform's side fails: try again in a while, and tell whoever runs it")


def judge_subscribing(message: str, status: int | None) -> Outcome:
    """A subscription that was not made."""
    remedies = {
        400: "the platform does not take the request: see that its Event Streams interface is the one described in README",
        401: "see that LOGIN_URL and API_URL are of one region and one organisation",
        403: "give the client the right to make event stream subscriptions, and the scope interaction.read",
        404: "check API_URL: no Event Streams interface is offered there",
        409: "delete subscriptions left over from earlier clients, or see that the callback URL is the platform's own",
        429: "wait a minute and try again: too many requests were made with this account",
    }
    return fail(
        message, remedies.get(status or 0, "try again in a while; if it stays so, ask whoever runs the platform")
    )


def judge_subscription(answer: Subscribed, differs: str, connection_id: str | None, asked: int) -> Outcome:
    """A subscription as the platform describes it, against what was asked for."""
    if differs:
        return fail(
            f"{answer.subscription} does not match the connection: {differs}",
            "the platform would send the events elsewhere: see which callback URLs it accepts, and that API_URL and STREAM_URL"
            " belong together",
        )
    fits = "matches the connection" if answer.connection_id and connection_id else "made for the callback URL"
    rate = answer.max_events_per_second
    if rate is not None and rate < asked:
        return warn(
            f"{answer.subscription} {fits}, but for {rate} events/s where {asked} were asked for",
            f"have the platform allow {asked}, or set MAX_EVENTS_PER_SECOND={rate}: what comes above it is left out",
        )
    return ok(f"{answer.subscription} {fits}, at most {asked} events/s" + ("" if rate is None else " as asked for"))


def judge_silence(waited: Millis) -> Outcome:
    """Neither event nor heartbeat came."""
    return fail(
        f"neither event nor heartbeat within {duration(waited)}",
        "the subscription is made but brings nothing: see that the callback URL is the stream's own, that the event types are"
        " offered, and whether something in between holds frames back; --timeout waits longer",
    )


def judge_first_frames(after: Millis, frames: int, events: Counter[str], rejected: Counter[str]) -> Outcome:
    """What the first data frames held."""
    unusable = ", ".join(f"{REASONS.get(reason, reason)} ({count:,})" for reason, count in rejected.most_common(3))
    if not events:
        return fail(
            f"the first of {frames} frames after {duration(after)}, but no event in them can be read: {unusable or 'empty'}",
            "the platform sends something else than the events described in docs/stitching.md",
        )
    kinds = ", ".join(f"{count} {kind}" for kind, count in events.most_common(5))
    found = f"the first event after {duration(after)}: {kinds}"
    if unusable:
        return warn(
            f"{found}; unusable: {unusable}", "they would be set aside and counted: ask the platform's side about them"
        )
    return ok(found)


def _left_behind(subscription: str, why: str) -> Outcome:
    return warn(
        f"subscription {subscription} could not be deleted: {why}",
        "most platforms end it with its connection; delete it there if it is still listed in an hour",
    )
