"""What happened in a conversation, whole: its legs and its moments. Everything that is told of it is read off this.

A leg is what the platform calls a participant with its one session: the customer, a flow, a wait in a queue, an agent.
Times are milliseconds since the epoch; None is a time that never comes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

DETAIL_KINDS: Final = (
    "customer.start", "customer.end", "contact", "attributes", "flow.start", "flow.end", "flow.outcome", "acd.start",
    "acd.end", "user.start", "user.end", "acw", "wrapup", "outbound", "voicemail.start", "voicemail.end",
)  # fmt: skip
"""What the platform reports as detail events. A conversation has other moments, which only its snapshots show."""


class Stage(NamedTuple):
    """A stretch of a leg with one segment type of the analytics records."""

    kind: str
    start: int
    end: int | None


class Leg(msgspec.Struct, kw_only=True):
    """One party to the conversation, from when it comes to when it goes. `disconnect` is spelled as in the records."""

    purpose: str
    participant_id: str
    session_id: str
    name: str
    start: int
    end: int | None = None
    disconnect: str = ""
    stages: list[Stage] = []
    queue_id: str = ""
    user_id: str = ""
    peer: str = ""
    """The customer's session that it belongs to."""
    flow_id: str = ""
    outcome_at: int | None = None
    """When the flow reached its outcome."""
    acd_outcome: str = ""
    answered_by: str = ""
    connected_at: int | None = None
    """When the two could talk; for customers, flows and queues the beginning."""
    dials: bool = False
    wrapup_code: str = ""
    """What the after-call work came to; not everybody says."""
    wrapup_start: int | None = None
    wrapup_end: int | None = None

    @property
    def over(self) -> int | None:
        """When nothing more comes of it, after-call work included."""
        return self.end if self.wrapup_end is None else self.wrapup_end

    def spent(self, kind: str) -> int:
        """How long all its stages of a kind lasted (ms)."""
        return sum(stage.end - stage.start for stage in self.stages if stage.kind == kind and stage.end is not None)


class Moment(NamedTuple):
    """Something that changes a conversation: when, what, and the place of the leg that it happens to."""

    at: int
    kind: str
    leg: int


class Customer(NamedTuple):
    """Who it is about. `contact_id` is what the platform calls its external contact."""

    contact_id: str
    name: str
    phone: str
    email: str
    address: str
    """Where messages of theirs come from."""


class Conversation(msgspec.Struct, kw_only=True):
    """A conversation from its first moment to its last. `identified_at` is when the customer became known, if ever."""

    conversation_id: str
    channel: str
    direction: str
    customer: Customer
    session_token: str
    message_type: str
    legs: list[Leg]
    moments: list[Moment]
    identified_at: int | None
    attributes: dict[int, dict[str, str]]
    """What is set on the customer's leg, by when."""
    campaign: bool = False

    @property
    def start(self) -> int:
        """When it began."""
        return self.moments[0].at

    @property
    def end(self) -> int | None:
        """When the last of it was over; None while a customer or an agent never leaves."""
        ends = [leg.over for leg in self.legs]
        return None if None in ends else max(end for end in ends if end is not None)

    def known_by(self, at: int) -> bool:
        """Whether the platform knows the customer at this time."""
        return self.identified_at is not None and self.identified_at <= at

    def attributes_by(self, at: int) -> dict[str, str]:
        """All attributes that are set by this time."""
        found: dict[str, str] = {}
        for when, given in self.attributes.items():
            if when <= at:
                found |= given
        return found

    def ended_by(self, at: int) -> bool:
        """Whether all of it is over at this time."""
        end = self.end
        return end is not None and end <= at
