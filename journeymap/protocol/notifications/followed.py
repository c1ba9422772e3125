"""Which conversations have topics of their own: those that were seen and have not ended, as far as there is room."""

from __future__ import annotations

from journeymap.model.time import Millis
from journeymap.protocol.notifications.frames import Seen
from journeymap.protocol.notifications.topics import Offer, contact_topic, detail_topic

_MOST_CONTACTS = 5
"""Of one conversation; the later ones are left out."""


class Followed:
    """Remembers conversations, the newest last, and forgets them `linger` after their end; beyond `most` the oldest first, so
    that one whose end was missed does not stay for good."""

    def __init__(self, linger: Millis, most: int = 0) -> None:
        self.most = most
        self._linger = linger
        self._topics: dict[str, tuple[str, ...]] = {}
        self._contacts: dict[str, tuple[str, ...]] = {}
        self._ended: dict[str, Millis] = {}
        self._offer = Offer()
        self.is_changed = False

    @property
    def is_full(self) -> bool:
        """Whether there are as many as may be: then some are left out, perhaps."""
        return self.is_on and len(self._contacts) >= self.most

    @property
    def is_on(self) -> bool:
        """Whether there are topics for conversations at all."""
        return bool(self._offer.kinds or self._offer.contacts)

    def offer(self, offer: Offer) -> None:
        """What can be had from now on."""
        if offer == self._offer:
            return
        self._offer = offer
        self.is_changed = True
        self._topics = {conversation: self._made(conversation) for conversation in self._contacts} if self.is_on else {}
        if not self.is_on:
            self._contacts.clear()
            self._ended.clear()

    def note(self, seen: Seen, now: Millis) -> None:
        """Something has happened in a conversation."""
        if not self.is_on:
            return
        conversation, known = seen.conversation, self._contacts.get(seen.conversation)
        if seen.ended or (seen.detail and known is None):
            if known is not None:
                self._ended.setdefault(conversation, now)
            return
        if not seen.detail:
            self._ended.pop(conversation, None)  # a conversation by message may be opened again
        contacts = tuple(dict.fromkeys((*(known or ()), *seen.contacts)))[:_MOST_CONTACTS]
        if known is None or contacts != known:
            self._contacts[conversation] = contacts
            self._topics[conversation] = self._made(conversation)
            self.is_changed = True
        while len(self._contacts) > self.most:
            self._forget(next(iter(self._contacts)))

    def tick(self, now: Millis) -> None:
        """Forget those whose end is some time ago."""
        for conversation in [one for one, at in self._ended.items() if at + self._linger <= now]:
            self._forget(conversation)

    def next_due(self) -> Millis | None:
        """When to look at the time again."""
        first = next(iter(self._ended.values()), None)
        return None if first is None else first + self._linger

    def wanted(self) -> list[str]:
        """All their topics."""
        self.is_changed = False
        return list(dict.fromkeys(topic for topics in self._topics.values() for topic in topics))

    def _made(self, conversation: str) -> tuple[str, ...]:
        detail = detail_topic(conversation, self._offer.kinds)
        contacts = self._contacts.get(conversation, ()) if self._offer.contacts else ()
        return (*((detail,) if detail else ()), *map(contact_topic, contacts))

    def _forget(self, conversation: str) -> None:
        self._contacts.pop(conversation, None)
        self._topics.pop(conversation, None)
        self._ended.pop(conversation, None)
        self.is_changed = True
