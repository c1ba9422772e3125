"""The simulated platform's state: who may come in, who is connected, what is subscribed, and the story going on."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from journeymap.simulator.connections import TOKEN_EXPIRED, Connection, Outgoing, Request, Socket, Subscription, Told
from journeymap.simulator.delivery import Delivery
from journeymap.simulator.people import fingerprint
from journeymap.simulator.story import Story

SCOPES = frozenset({"eventstream.read", "interaction.read", "conversation.read"})
STREAM_PATH = "/stream"
CALLBACKS_PATH = "/api/v2/eventstreams/callbacks"
SUBSCRIPTIONS_PATH = "/api/v2/eventstreams/subscriptions"

_TICK = 0.05
_MOST_BEHIND = 60_000
_HISTORY_FRAME = 200
_HISTORY_CHUNK = 2_000
_COUNTED_IDS = 500_000
_HEARTBEAT = Outgoing(b'{"type":"heartbeat"}')


class Manner(NamedTuple):
    """How the platform behaves. Times in seconds; `rate` 0 tells no story; `buffer` is bytes a socket may be behind."""

    seed: int = 1
    rate: float = 5.0
    history: float = 0.0
    token_life: float = 3600.0
    heartbeat: float = 5.0
    delivery: Delivery = Delivery()
    frame_size: int = 50
    client_id: str = ""
    client_secret: str = ""
    token_in_query: bool = False
    buffer: int = 8 << 20
    log: Path | None = None

    def with_credentials(self) -> Manner:
        """The same, with a client id and secret made from the seed where none was given."""
        mark = f"{fingerprint(f'client {self.seed}'):016x}"
        return self._replace(
            client_id=self.client_id or f"simulated-client-{mark[:8]}",
            client_secret=self.client_secret or f"simulated-secret-{mark[8:]}",
        )


def wall_clock() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Platform:
    """Everything the platform knows. Lives on one event loop; the HTTP side calls it, `tell` keeps it going."""

    def __init__(self, manner: Manner, now: Callable[[], int] = wall_clock) -> None:
        self.manner = manner.with_credentials()
        self.now = now
        self.refuses_credentials = False
        self.base_url = ""
        self.tokens: dict[str, int] = {}
        self.connections: dict[str, Connection] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self._story = Story(manner.seed, manner.rate, manner.delivery) if manner.rate else None
        self._told_until = now()
        self._replays: set[asyncio.Task[None]] = set()
        self._sent_by_type: Counter[str] = Counter()
        self._sent_ids: set[int] = set()
        self._logged: list[bytes] = []

    # Tokens

    def issue_token(self) -> str:
        """A new access token, good for the token life."""
        now = self.now()
        self.tokens = {token: until for token, until in self.tokens.items() if until > now}
        token = "sim-" + secrets.token_urlsafe(24)
        self.tokens[token] = now + round(self.manner.token_life * 1000)
        return token

    def accepts_token(self, token: str | None) -> bool:
        """Whether a client with this token may come in now."""
        return token is not None and not self.refuses_credentials and self.tokens.get(token, 0) > self.now()

    # Connections

    def connect(self, token: str, socket: Socket) -> Connection:
        """Take a new stream connection and greet it."""
        connection = Connection(secrets.token_hex(8), token, socket, self.manner.buffer, self._delivered)
        self.connections[connection.connection_id] = connection
        opened = {
            "type": "connection.opened",
            "connectionId": connection.connection_id,
            "callbackUrl": self.callback_url(connection),
        }
        connection.send([Outgoing(msgspec.json.encode(opened))])
        return connection

    def disconnect(self, connection: Connection) -> None:
        """The connection is gone, and its subscriptions with it."""
        self.connections.pop(connection.connection_id, None)
        for subscription in list(self.subscriptions.values()):
            if subscription.connection is connection:
                self.unsubscribe(subscription)

    def callback_url(self, connection: Connection) -> str:
        """The address that stands for a live connection in a subscription."""
        return f"{self.base_url.replace('http', 'ws', 1)}{STREAM_PATH}{CALLBACKS_PATH}/{connection.connection_id}"

    def connection_at(self, callback_url: str, token: str) -> Connection | None:
        """The live connection that a subscription means. The address without an id means this token's newest one."""
        base, _, connection_id = callback_url.rstrip("/").rpartition("/")
        if base.endswith(CALLBACKS_PATH):
            named = self.connections.get(connection_id)
            return named if named is not None and named.is_open else None
        if callback_url.rstrip("/").endswith(CALLBACKS_PATH):
            for connection in reversed(self.connections.values()):
                if connection.token == token and connection.is_open:
                    return connection
        return None

    # Subscriptions

    def subscribe(self, request: Request, connection: Connection) -> Subscription:
        """Begin to send: the history first, then what happens from now on, without a gap or an overlap."""
        subscription = Subscription("sub-" + secrets.token_hex(8), request, connection, self.manner.frame_size)
        self.subscriptions[subscription.subscription_id] = subscription
        if self._story is None:
            subscription.is_live = True
        else:
            replay = asyncio.get_running_loop().create_task(self._replay(subscription, self._story))
            self._replays.add(replay)
            replay.add_done_callback(self._replays.discard)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Send nothing more for it."""
        subscription.ended = True
        subscription.is_live = False
        self.subscriptions.pop(subscription.subscription_id, None)

    async def _replay(self, subscription: Subscription, story: Story) -> None:
        connection = subscription.connection
        at = self._told_until - round(self.manner.history * 1000)
        chunk = max(50, round(_HISTORY_CHUNK / story.rate * 1000))
        # The comparison and the switch to live have no await between them: here history and live meet exactly.
        while at < self._told_until:
            upto = min(at + chunk, self._told_until)
            for out in subscription.send_history(_encoded(story, at, upto), _HISTORY_FRAME):
                await connection.room()
                if subscription.ended or not connection.is_open:
                    return
                connection.send([out])
            at = upto
            await asyncio.sleep(0)
        subscription.is_live = not subscription.ended

    # The story goes on

    async def tell(self) -> None:
        """Send what happens, heartbeats too, and end what has expired; until cancelled."""
        loop = asyncio.get_running_loop()
        next_heartbeat = loop.time() + self.manner.heartbeat
        with contextlib.ExitStack() as stack:
            # Without buffer: what was sent is in the file one tick later, whatever becomes of us.
            log = stack.enter_context(self.manner.log.open("ab", buffering=0)) if self.manner.log is not None else None
            while True:
                try:
                    await asyncio.sleep(_TICK)
                    self._tick()
                finally:
                    if log is not None:
                        log.write(b"".join(self._logged))
                        self._logged.clear()
                if loop.time() >= next_heartbeat:
                    next_heartbeat = max(next_heartbeat, loop.time() - _TICK) + self.manner.heartbeat
                    for connection in list(self.connections.values()):
                        connection.send([_HEARTBEAT])

    def _tick(self) -> None:
        now = self.now()
        for connection in list(self.connections.values()):
            if self.tokens.get(connection.token, 0) <= now:
                connection.close(TOKEN_EXPIRED, "token expired")
                self.disconnect(connection)
        if now > self._told_until:
            live = [subscription for subscription in self.subscriptions.values() if subscription.is_live]
            # A machine that slept has missed what was told meanwhile, as it would have on a real platform.
            start = max(self._told_until, now - _MOST_BEHIND)
            events = _encoded(self._story, start, now) if live and self._story is not None else []
            self._told_until = now
            for subscription in live:
                subscription.send_live(events, now)

    def send_raw(self, frame: bytes) -> None:
        """Send exactly this frame once for every live subscription, whatever it is. Not counted, not logged."""
        for subscription in list(self.subscriptions.values()):
            if subscription.is_live:
                subscription.connection.send([Outgoing(frame)])

    def drop_connections(self) -> None:
        """Break every socket off without a close frame."""
        for connection in list(self.connections.values()):
            connection.break_off()
            self.disconnect(connection)

    def close_connections(self, code: int, reason: str) -> None:
        """Close every socket with this code."""
        for connection in list(self.connections.values()):
            connection.close(code, reason)

    def stats(self) -> dict[str, object]:
        """What was sent so far, and to whom. Above 500,000 distinct ids `distinctEventIds` stops and is not exact."""
        return {
            "sent": sum(self._sent_by_type.values()),
            "sentByType": dict(sorted(self._sent_by_type.items())),
            "distinctEventIds": len(self._sent_ids),
            "distinctExact": len(self._sent_ids) < _COUNTED_IDS,
            "dropped": {name: sub.dropped for name, sub in self.subscriptions.items()},
            "connections": len(self.connections),
            "subscriptions": len(self.subscriptions),
            "toldUntil": self._told_until,
        }

    def _delivered(self, events: Sequence[Told]) -> None:
        for told in events:
            self._sent_by_type[told.type] += 1
            if len(self._sent_ids) < _COUNTED_IDS:
                self._sent_ids.add(hash(told.event_id))
            if self.manner.log is not None:
                self._logged.append(told.data + b"\n")


def _encoded(story: Story, start: int, end: int) -> list[Told]:
    encode = msgspec.json.encode
    return [Told(encode(event), event["eventId"], event["type"]) for _, event in story.events(start, end)]
