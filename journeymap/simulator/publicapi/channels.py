"""Channels of the Notification Service: up to 20 a client, 1,000 topics and one socket each, for 24 hours."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from journeymap.simulator.connections import Connection
from journeymap.simulator.ledger import Ledger
from journeymap.simulator.publicapi.organisation import ORGANISATION_ID
from journeymap.simulator.publicapi.topics import Wish
from journeymap.simulator.told import Outgoing, Told

MOST_CHANNELS: Final = 20
MOST_TOPICS: Final = 1_000
GONE_AWAY: Final = 1001
_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuv"
_HEARTBEAT: Final = Outgoing(b'{"topicName":"channel.metadata","eventBody":{"message":"WebSocket Heartbeat"}}')
_CLOSING: Final = Outgoing(
    b'{"topicName":"v2.system.socket_closing","version":"2","eventBody":{"message":"Socket is closing"},"metadata":{}}'
)


class Channel:
    """A client's channel: its topics, and the socket that is connected to it, if any."""

    def __init__(self, channel_id: str, token: str, expires: int, now: int) -> None:
        self.channel_id = channel_id
        self.token = token
        self.expires = expires
        self.last_used = now
        self.topics: dict[str, Wish] = {}
        self.connection: Connection | None = None
        self.closing: list[tuple[int, Connection]] = []
        """Sockets that were told to go, and when they must have gone."""

    @property
    def is_connected(self) -> bool:
        """Whether a client is listening."""
        return self.connection is not None and self.connection.is_open

    def connections(self) -> list[Connection]:
        """All its open sockets, those that were told to go included."""
        found = [connection for _, connection in self.closing]
        found += [self.connection] if self.connection is not None else []
        return [connection for connection in found if connection.is_open]


class Channels:
    """All channels. `life` says how long (ms) a channel lives that is made or renewed now, `strict` whether and how (`close`,
    `tell`) a second socket ends one that was told to go anyway."""

    def __init__(
        self, now: Callable[[], int], life: Callable[[], int], strict: Callable[[], str], ledger: Ledger
    ) -> None:
        self._now = now
        self._life = life
        self._strict = strict
        self._ledger = ledger
        self._all: dict[str, Channel] = {}
        self._listeners: dict[str, set[Channel]] = {}

    def __iter__(self) -> Iterator[Channel]:
        """Every channel there is, the oldest first."""
        return iter(list(self._all.values()))

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens to anything."""
        return bool(self._listeners)

    def find(self, channel_id: str) -> Channel | None:
        """The channel with this id, unless it has expired."""
        channel = self._all.get(channel_id)
        return channel if channel is not None and channel.expires > self._now() else None

    def create(self, token: str) -> Channel:
        """A new channel; beyond the limit the one that was unused longest goes, one without a socket first."""
        while len(self._all) >= MOST_CHANNELS:
            victim = min(self._all.values(), key=lambda channel: (channel.is_connected, channel.last_used))
            self.tell_system(victim, "no_longer_subscribed", "another_channel_subscribed", "Another channel subscribed")
            self.remove(victim, "replaced by another channel")
        number = "".join(secrets.choice(_ALPHABET) for _ in range(26))
        now = self._now()
        channel = Channel(f"streaming-{secrets.randbelow(8)}-{number}", token, now + self._life(), now)
        self._all[channel.channel_id] = channel
        return channel

    def remove(self, channel: Channel, why: str) -> None:
        """The channel is no more, and neither are its sockets."""
        self._forget_topics(channel)
        self._all.pop(channel.channel_id, None)
        for connection in channel.connections():
            connection.close(GONE_AWAY, why)

    def use(self, channel: Channel) -> None:
        """Note that a client has used it."""
        channel.last_used = self._now()

    def renew(self, channel: Channel) -> None:
        """Let it live for as long as a new one."""
        channel.expires = self._now() + self._life()

    def subscribe(self, channel: Channel, wishes: Sequence[Wish], replace: bool) -> None:
        """Add the topics of these wishes, or put them in place of the present ones."""
        if replace:
            self._forget_topics(channel)
        for wish in wishes:
            if wish.names:
                channel.topics[wish.asked] = wish
                for name in wish.names:
                    self._listeners.setdefault(name, set()).add(channel)

    def would_hold(self, channel: Channel, wishes: Sequence[Wish], replace: bool) -> int:
        """How many topics it would have after that."""
        added = {wish.asked for wish in wishes if wish.names}
        return len(added if replace else added | channel.topics.keys())

    def connect(self, channel: Channel, connection: Connection) -> None:
        """A socket is there; an earlier one goes, unless it was told to go anyway and has time left. A strict platform does not
        wait for that."""
        before = channel.connection
        told_to_go = before in [known for _, known in channel.closing]
        strict = self._strict() if before is not None and told_to_go else ""
        if strict == "tell":
            self.tell_system(
                channel, "no_longer_subscribed", "another_channel_subscribed", "Another channel subscribed"
            )
        if before is not None and (strict or not told_to_go):
            before.close(GONE_AWAY, "another socket has connected to this channel")
        channel.connection = connection
        self.use(channel)

    def disconnect(self, channel: Channel, connection: Connection) -> None:
        """A socket is gone."""
        channel.closing = [(due, known) for due, known in channel.closing if known is not connection]
        if channel.connection is connection:
            channel.connection = None

    def announce_closing(self, grace: int) -> int:
        """Tell every open socket that it will be closed after so long (ms); answers how many."""
        count = 0
        for channel in self._all.values():
            if channel.is_connected and channel.connection is not None:
                channel.connection.send([_CLOSING])
                channel.closing.append((self._now() + grace, channel.connection))
                count += 1
        return count

    def tick(self, token_ends: Callable[[str], int]) -> None:
        """End what has expired, and close what was told to go."""
        now = self._now()
        for channel in list(self._all.values()):
            for due, connection in list(channel.closing):
                if due <= now:
                    connection.close(GONE_AWAY, "maintenance")
                    self.disconnect(channel, connection)
            if token_ends(channel.token) <= now:
                self.tell_system(channel, "token_revoked", "user_tokens_revoked", "The token has been revoked")
                self.remove(channel, "token revoked")
            elif channel.expires <= now:
                self.remove(channel, "channel expired")
            for connection in channel.connections():
                connection.ask_receipt()

    def heartbeat(self) -> None:
        """Send one to every socket."""
        for channel in self._all.values():
            for connection in channel.connections():
                connection.send([_HEARTBEAT])

    def wants(self, name: str) -> bool:
        """Whether anybody listens to this topic."""
        return name in self._listeners

    def notify(self, name: str, body: Any, correlation_id: str) -> int:
        """Send an event to all who listen to this topic; answers to how many."""
        frame = msgspec.json.encode(
            {"topicName": name, "version": "2", "eventBody": body, "metadata": {"CorrelationId": correlation_id}}
        )
        told = Outgoing(frame, (Told(frame, correlation_id, name),))
        count = 0
        for channel in self._listeners.get(name, ()):
            if channel.connection is not None and channel.connection.is_open:
                channel.connection.send([told])
                count += 1
        return count

    def tell_system(self, channel: Channel, kind: str, reason: str, message: str) -> None:
        """Send a system message to the channel's socket."""
        body = {"channelId": channel.channel_id, "systemTopicType": kind, "organizationId": ORGANISATION_ID}
        body |= {"reason": reason, "message": message}
        said = {"topicName": f"v2.system.{kind}", "version": "2", "eventBody": body, "metadata": {}}
        if channel.connection is not None:
            channel.connection.send([Outgoing(msgspec.json.encode(said))])

    def _forget_topics(self, channel: Channel) -> None:
        for wish in channel.topics.values():
            for name in wish.names:
                listeners = self._listeners.get(name)
                if listeners is not None:
                    listeners.discard(channel)
                    if not listeners:
                        del self._listeners[name]
        channel.topics.clear()
