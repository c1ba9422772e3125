"""The simulated platform's state: who may come in, who is connected, what is subscribed, and the story going on."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from journeymap.simulator.connections import TOKEN_EXPIRED, Connection, Socket
from journeymap.simulator.delivery import Delivery
from journeymap.simulator.detours import Detours
from journeymap.simulator.faults import Faults
from journeymap.simulator.ledger import Ledger
from journeymap.simulator.people import fingerprint
from journeymap.simulator.story import FASTEST, SLOWEST, Story
from journeymap.simulator.subscriptions import Request, Subscription
from journeymap.simulator.told import Outgoing, Told

if TYPE_CHECKING:
    from journeymap.simulator.publicapi.public import Public

SCOPES = frozenset({"eventstream.read", "interaction.read", "conversation.read"})
STREAM_PATH = "/stream"
CALLBACKS_PATH = "/api/v2/eventstreams/callbacks"
SUBSCRIPTIONS_PATH = "/api/v2/eventstreams/subscriptions"

REMEMBERED = 1_000
"""So many events can be sent again."""
_TICK = 0.05
_MOST_BEHIND = 60_000
_HISTORY_FRAME = 200
_HISTORY_CHUNK = 2_000
_BURST_SPAN = 10
"""A burst is so many seconds of a story, told within one second."""
_BURST_STEP = 1_000
_HEARTBEAT = Outgoing(b'{"type":"heartbeat"}')


class Manner(NamedTuple):
    """How the platform behaves. Times in seconds; `rate` 0 tells no story; `buffer` is bytes a socket may be behind.

    `rate_limit` is requests a minute that the public APIs allow each token.
    """

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
    acknowledged_log: Path | None = None
    keep_acknowledged: bool = False
    remote_control: bool = False
    queues: int = 5
    rate_limit: int = 300
    channel_life: float = 86_400.0
    notification_heartbeat: float = 30.0
    eventbridge_url: str = ""
    eventbridge_key: str = ""

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
        self.faults = Faults()
        self.ledger = Ledger(manner.log, manner.acknowledged_log, manner.keep_acknowledged)
        self.ending = asyncio.Event()
        """Set when the server stops: whoever is left hanging is let go."""
        self.answers: Counter[str] = Counter()
        """How often each request was answered with which status."""
        self.base_url = ""
        self.tokens: dict[str, int] = {}
        self.connections: dict[str, Connection] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.story = Story(manner.seed, manner.rate, manner.delivery) if manner.rate else None
        self.public: Public | None = None
        """Its public APIs, where they are served."""
        self._told_until = now()
        self._remembered: deque[Told] = deque(maxlen=REMEMBERED)
        self._detours = Detours(self.faults, manner.seed)
        self._bursts = 0
        self._replays: set[asyncio.Task[None]] = set()

    # Tokens

    @property
    def token_life(self) -> float:
        """How long a token lives that is issued now (s)."""
        return self.faults.token_life or self.manner.token_life

    def issue_token(self) -> str:
        """A new access token, good for the token life."""
        now = self.now()
        self.tokens = {token: until for token, until in self.tokens.items() if until > now}
        token = "sim-" + secrets.token_urlsafe(24)
        self.tokens[token] = now + round(self.token_life * 1000)
        return token

    def accepts_token(self, token: str | None) -> bool:
        """Whether a client with this token may come in now."""
        return token is not None and not self.faults.refuse_credentials and self.tokens.get(token, 0) > self.now()

    # Connections

    def connect(self, token: str, socket: Socket) -> Connection:
        """Take a new stream connection and greet it."""
        connection = Connection(secrets.token_hex(8), token, socket, self.manner.buffer, self.ledger)
        self.connections[connection.connection_id] = connection
        if not self.faults.no_greeting:
            opened = {
                "type": "connection.opened",
                "connectionId": connection.connection_id,
                "callbackUrl": self.callback_url(connection),
            }
            connection.send([Outgoing(msgspec.json.encode(opened))])
        return connection

    def disconnect(self, connection: Connection) -> None:
        """The connection is gone, and its subscriptions with it, unless they linger."""
        self.connections.pop(connection.connection_id, None)
        for subscription in list(self.subscriptions.values()):
            if subscription.connection is connection:
                self.unsubscribe(subscription)
                if self.faults.lingering_subscriptions:
                    self.subscriptions[subscription.subscription_id] = subscription

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
        subscription_id = "sub-" + secrets.token_hex(8)
        subscription = Subscription(subscription_id, request, connection, self.manner.frame_size, self.faults)
        self.subscriptions[subscription_id] = subscription
        if subscription.brings_nothing:
            return subscription
        if self.story is None:
            subscription.is_live = True
        else:
            replay = asyncio.get_running_loop().create_task(self._replay(subscription, self.story))
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
            for out in subscription.frames_of(self._encoded(story, at, upto), _HISTORY_FRAME):
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
        with self.ledger.logs():
            while True:
                try:
                    await asyncio.sleep(_TICK)
                    self._tick()
                finally:
                    self.ledger.write()
                if loop.time() >= next_heartbeat:
                    next_heartbeat = max(next_heartbeat, loop.time() - _TICK) + self.manner.heartbeat
                    self._send_heartbeats()

    def _tick(self) -> None:
        now = self.now()
        for connection in list(self.connections.values()):
            if self.tokens.get(connection.token, 0) <= now:
                connection.close(TOKEN_EXPIRED, "token expired")
                self.disconnect(connection)
        if not self.faults.lingering_subscriptions:
            for subscription in list(self.subscriptions.values()):
                if subscription.ended:
                    self.unsubscribe(subscription)
        if now > self._told_until:
            live = [subscription for subscription in self.subscriptions.values() if subscription.is_live]
            # A machine that slept has missed what was told meanwhile, as it would have on a real platform.
            start = max(self._told_until, now - _MOST_BEHIND)
            events = self._encoded(self.story, start, now) if live and self.story is not None else []
            self._told_until = now
            self._remembered.extend(events)
            arriving = self._detours.through(events, now)
            for subscription in live:
                subscription.send_live(arriving, now)
        for connection in self.connections.values():
            connection.ask_receipt()
        if self.public is not None:
            self.public.tick(now)

    def _send_heartbeats(self) -> None:
        if self.faults.heartbeat_loss:
            return
        silent = {id(known.connection) for known in self.subscriptions.values() if known.brings_nothing}
        for connection in list(self.connections.values()):
            if id(connection) not in silent:
                connection.send([_HEARTBEAT])

    # By hand

    def send_frames(self, outgoing: Sequence[Outgoing]) -> int:
        """Send exactly these frames once for every live subscription; answers how many were sent in all."""
        live = [subscription for subscription in self.subscriptions.values() if subscription.is_live]
        for subscription in live:
            subscription.connection.send(outgoing)
        return len(live) * len(outgoing)

    def send_raw(self, frame: bytes) -> None:
        """Send exactly this frame once for every live subscription, whatever it is. Not counted, not logged."""
        self.send_frames([Outgoing(frame)])

    def send_events(self, events: Sequence[dict[str, Any]]) -> None:
        """Send these events, each in a frame of its own, to every live subscription, as if they had just happened."""
        told = [Told(msgspec.json.encode(event), event["eventId"], event["type"]) for event in events]
        self._remembered.extend(told)
        self.send_frames([Outgoing(one.data, (one,)) for one in told])

    def burst(self, count: int) -> int:
        """Send `count` events of another story at once to every live subscription, beyond its limit a second."""
        self._bursts += 1
        rate = min(max(count / _BURST_SPAN, SLOWEST), FASTEST)
        story = Story(fingerprint(f"burst {self.manner.seed} {self._bursts}"), rate, Delivery(0.0, 0.0, jitter=False))
        now = start = self.now()
        events: list[dict[str, Any]] = []
        while len(events) < count:
            start, end = start - _BURST_STEP, start
            events[:0] = [event for _, event in story.events(start, end)]
        # What took seconds happens within one.
        hurried = [event | {"timestamp": now - (now - event["timestamp"]) * 1_000 // (now - start)} for event in events]
        return self._send_at_once(self._told(hurried[-count:]))

    def repeat(self, count: int, shuffled: bool) -> int:
        """Send the last `count` events again to every live subscription."""
        events = list(self._remembered)[-count:]
        if shuffled:
            random.Random(f"repeat {self.manner.seed}").shuffle(events)
        return self._send_at_once(events)

    def _send_at_once(self, events: Sequence[Told]) -> int:
        for subscription in list(self.subscriptions.values()):
            if subscription.is_live:
                subscription.send_at_once(events)
        return len(events)

    def break_off(self, connection: Connection, reset: bool = True) -> None:
        """End a connection without a close frame: with a TCP reset, or in TCP's orderly way."""
        connection.break_off(reset)
        self.disconnect(connection)

    def stats(self) -> dict[str, object]:
        """What was sent so far, and to whom."""
        return self.ledger.stats() | {
            "outstanding": sum(connection.outstanding for connection in self.connections.values()),
            "dropped": {name: known.dropped for name, known in self.subscriptions.items()},
            "throttled": {name: known.throttled for name, known in self.subscriptions.items()},
            "answers": dict(sorted(self.answers.items())),
            "connections": len(self.connections),
            "subscriptions": len(self.subscriptions),
            "toldUntil": self._told_until,
            "public": self.public.stats() if self.public is not None else {},
        }

    def _encoded(self, story: Story, start: int, end: int) -> list[Told]:
        return self._told([event for _, event in story.events(start, end)])

    def _told(self, events: Sequence[dict[str, Any]]) -> list[Told]:
        if self.faults.clock_skew:
            skew = round(self.faults.clock_skew * 1000)
            events = [event | {"timestamp": event["timestamp"] + skew} for event in events]
        if self.faults.padding:
            padding = {"padding": "x" * self.faults.padding}
            events = [event | {"payload": event["payload"] | padding} for event in events]
        encode = msgspec.json.encode
        return [Told(encode(event), event["eventId"], event["type"]) for event in events]
