"""The platform's public side: an organisation, its conversations, its channels, and telling what happens in them."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.routing import BaseRoute

from journeymap.simulator.connections import Connection
from journeymap.simulator.ledger import Ledger
from journeymap.simulator.people import rosters, uuid_of
from journeymap.simulator.platform import Platform
from journeymap.simulator.publicapi import listings
from journeymap.simulator.publicapi.analytics import Analytics
from journeymap.simulator.publicapi.channels import Channels
from journeymap.simulator.publicapi.chronicle import Chronicle, Happening
from journeymap.simulator.publicapi.conventions import Conventions, missing
from journeymap.simulator.publicapi.conversation import DETAIL_KINDS
from journeymap.simulator.publicapi.details import body, topic_of
from journeymap.simulator.publicapi.eventbridge import EventBridge
from journeymap.simulator.publicapi.jobs import Jobs
from journeymap.simulator.publicapi.notifications import Notifications
from journeymap.simulator.publicapi.organisation import Organisation
from journeymap.simulator.publicapi.queries import Queries
from journeymap.simulator.publicapi.snapshots import queues_in, snapshot, users_in
from journeymap.simulator.publicapi.topics import Catalogue

_MOST_BEHIND: Final = 60_000


class Public:
    """The public APIs of a platform. Lives on the platform's event loop, which calls `tick` again and again."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        story = platform.story
        self.organisation = Organisation(story.rosters if story else rosters(0), platform.manner.queues)
        self.chronicle = Chronicle(story) if story is not None else None
        self.ledger = Ledger(None, None, platform.manner.keep_acknowledged)
        self.channels = Channels(
            platform.now, self._channel_life, lambda: platform.faults.take("one_socket"), self.ledger
        )
        self._catalogue = Catalogue(
            self.organisation,
            lambda permissions: missing(platform, permissions),
            lambda: not platform.faults.no_detail_topics,
        )
        self.eventbridge = EventBridge(platform)
        self._told_until = platform.now()
        self._preparing: asyncio.Task[None] | None = None
        self._next_heartbeat = platform.now() + self._heartbeat_after()

    def routes(self) -> list[BaseRoute]:
        """What it answers under `/api/v2`, and its sockets."""
        conventions = Conventions(self.platform)
        notifications = Notifications(self.platform, self.channels, self._catalogue, self.ledger)
        queries = Queries(self.chronicle, self.platform.faults)
        return [
            *listings.routes(conventions, self.organisation),
            *notifications.routes(conventions),
            *Jobs(self.platform, queries).routes(conventions),
            *Analytics(self.platform, self.chronicle, queries).routes(conventions),
        ]

    def connections(self) -> list[Connection]:
        """All open sockets."""
        return [connection for channel in self.channels for connection in channel.connections()]

    def tick(self, now: int) -> None:
        """Tell what has happened since the last time, heartbeats too, and end what has expired."""
        self.channels.tick(lambda token: self.platform.tokens.get(token, 0))
        self._tell_until(now)
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + self._heartbeat_after()
            if not self.platform.faults.heartbeat_loss:
                self.channels.heartbeat()

    def stats(self) -> dict[str, object]:
        """What was sent so far, and to whom."""
        return self.ledger.stats() | {
            "channels": sum(1 for _ in self.channels),
            "sockets": len(self.connections()),
            "topics": sum(len(channel.topics) for channel in self.channels),
            "eventbridge": self.eventbridge.stats(),
        }

    def _tell_until(self, now: int) -> None:
        """Tell what has happened since the last time, or later where that is not known at once."""
        start = max(self._told_until, now - _MOST_BEHIND)
        if self.chronicle is not None and (self.channels.is_heard or self.eventbridge.is_on):
            if not self.chronicle.is_ready(start, now):
                if self._preparing is None or self._preparing.done():
                    self._preparing = asyncio.get_running_loop().create_task(self.chronicle.prepare(start, now))
                return
            for happening in self.chronicle.happenings(start, now):
                self._tell(self.chronicle, happening)
        self._told_until = max(now, start)

    def _tell(self, chronicle: Chronicle, happening: Happening) -> None:
        """Notify all who listen to something that this changes."""
        conversation = chronicle.conversation(happening.found)
        at, moment = happening.at, happening.moment._replace(at=happening.at)
        correlation = uuid_of(f"{conversation.conversation_id} {moment.kind} {moment.leg} {at}")
        if moment.kind in DETAIL_KINDS:
            topic = topic_of(conversation, moment)
            if self.channels.wants(topic):
                self.channels.notify(topic, body(conversation, moment), correlation)
            if self.eventbridge.is_on:
                self.eventbridge.put(conversation, moment)
        names = [f"v2.routing.queues.{queue}.conversations" for queue in queues_in(conversation, at)]
        names += [f"v2.users.{user}.conversations" for user in users_in(conversation, at)]
        wanted = [name for name in names if self.channels.wants(name)]
        if wanted:
            seen = snapshot(conversation, at)
            for name in wanted:
                self.channels.notify(name, seen, correlation)

    def _channel_life(self) -> int:
        return round((self.platform.faults.channel_life or self.platform.manner.channel_life) * 1000)

    def _heartbeat_after(self) -> int:
        return round(self.platform.manner.notification_heartbeat * 1000)
