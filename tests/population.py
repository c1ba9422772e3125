"""Two hundred customers of a contact centre, and what its platform tells of them: detail events, records, merges of contacts.

Who is who is kept apart from what is told. People share telephones and give up numbers, contacts are linked late, wrongly doubled
or never, and some things cannot be known: they are in it because they happen, not because they can be solved.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from journeymap.model.time import DAY, HOUR, MINUTE, SECOND, Millis
from tests.telling import detail

BEGIN: Final = 1_795_000_000_000
OURS: Final = "+15555550000"
MAILBOX: Final = "help@example.org"


@dataclass
class Person:
    """A customer. `contact` is what the platform calls them, once it knows."""

    name: str
    mobile: str
    email: str
    contact: str
    cookie: str


@dataclass
class Population:
    """What is told (`frames`), and whose each conversation is (`labels`)."""

    seed: int
    frames: list[bytes] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self._numbers = iter(self.chance.sample(range(10_000_000), 1_000))
        for story, count in STORIES:
            self.kinds[story.__name__] = count
            made = 0
            while made < count:
                made += story(self)
        self.chance.shuffle(self.frames)

    # People and their things

    def number(self) -> str:
        return f"+1555{next(self._numbers):07d}"

    def person(self) -> Person:
        name = f"person-{len(self.kinds)}-{self.chance.randrange(10**9)}"
        return Person(name, self.number(), f"{name}@example.com", f"contact of {name}", f"cookie of {name}")

    def days(self, least: int, most: int) -> Iterator[Millis]:
        """Moments of a few contacts within three weeks, in order."""
        count = self.chance.randint(least, most)
        yield from sorted(BEGIN + self.chance.randrange(21 * DAY) for _ in range(count))

    # Conversations

    def _tell(
        self, who: Person, at: Millis, fields: dict[str, Any], contact: str | None, late: bool, **more: Any
    ) -> None:
        """One conversation, as detail events, as a record, or both. `more` is what only a record tells."""
        name = f"conversation-{len(self.labels)}"
        self.labels[name] = who.name
        length = self.chance.randint(20, 900) * SECOND
        form = self.chance.choice(["events", "events", "record", "both"])
        if form != "record":
            known = {"externalContactId": contact} if contact and not late else {}
            self.frames.append(detail("customer.start", name, at, **fields, **known))
            if contact and late:
                self.frames.append(detail("contact", name, at + length // 2, externalContactId=contact))
                known = {"externalContactId": contact}
            ending = {"disconnectType": "PEER", "interactingDurationMs": length}
            self.frames.append(detail("customer.end", name, at + length, **fields, **known, **ending))
        if form != "events":
            self.frames.append(_record(name, at, at + length, {**fields, **more}, contact))

    def call(self, who: Person, at: Millis, number: str, contact: str | None = None, *, late: bool = False) -> None:
        """They call; the number is withheld now and then."""
        shown = f"tel:{number}" if self.chance.random() > 0.015 else "tel:anonymous"
        fields = {"mediaType": "VOICE", "direction": "INBOUND", "ani": shown, "dnis": f"tel:{OURS}"}
        self._tell(who, at, fields, contact, late)

    def call_back(self, who: Person, at: Millis, number: str, contact: str | None = None) -> None:
        """They are called."""
        fields = {"mediaType": "VOICE", "direction": "OUTBOUND", "ani": f"tel:{OURS}", "dnis": f"tel:{number}"}
        self._tell(who, at, fields, contact, late=True)

    def ask_back(self, who: Person, at: Millis, number: str, contact: str | None = None) -> None:
        """They ask to be called back."""
        fields = {"mediaType": "CALLBACK", "direction": "INBOUND", "callbackNumbers": [number]}
        self._tell(who, at, fields, contact, late=True)

    def mail(self, who: Person, at: Millis, address: str, contact: str | None = None) -> None:
        """They write a mail, in whatever spelling of their address."""
        spelled = self.chance.choice([address, address.upper(), address.capitalize()])
        fields = {"mediaType": "EMAIL", "direction": "INBOUND", "addressFrom": spelled, "addressTo": MAILBOX}
        self._tell(who, at, fields, contact, late=False)

    def chat(
        self, who: Person, at: Millis, cookie: str, contact: str | None = None, *, late: bool = False, number: str = ""
    ) -> None:
        """They write on the web site; with a `number` they are called back from there, in the same conversation."""
        fields = {
            "mediaType": "MESSAGE", "direction": "INBOUND", "messageType": "WEBMESSAGING", "addressFrom": f"browser {cookie}",
            "addressTo": "deployment", "journeyContext": {"sessionId": f"web {at}", "sessionIdType": "web"},
        }  # fmt: skip
        self._tell(who, at, fields, contact, late, journeyCustomerId=cookie, journeyCustomerIdType="cookie")
        if number:
            name = f"conversation-{len(self.labels) - 1}"
            back = {"mediaType": "VOICE", "direction": "OUTBOUND", "ani": f"tel:{OURS}", "dnis": f"tel:{number}"}
            self.frames.append(detail("customer.start", name, at + HOUR, **{**back, "sessionId": f"call of {name}"}))

    def text(self, who: Person, at: Millis, number: str, contact: str | None = None) -> None:
        """They send an SMS or a WhatsApp message."""
        kind = self.chance.choice(["SMS", "WHATSAPP"])
        address = number if kind == "SMS" else number.removeprefix("+")
        fields = {"mediaType": "MESSAGE", "direction": "INBOUND", "messageType": kind, "addressFrom": address}
        self._tell(who, at, fields, contact, late=False)

    def merge(self, source: str, target: str, at: Millis) -> None:
        """Two contacts are found to be one."""
        body = {
            "id": target,
            "mergeOperation": {"sourceContactId": source, "targetContactId": target, "resultingContactId": target},
            "modifyDate": _date(at),
        }
        topic = f"v2.externalcontacts.contacts.{target}"
        self.frames.append(json.dumps({"topicName": topic, "version": "2", "eventBody": body, "metadata": {}}).encode())


def _date(at: Millis) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _record(name: str, start: Millis, end: Millis, fields: dict[str, Any], contact: str | None) -> bytes:
    told = {
        key: value
        for key, value in fields.items()
        if key not in ("mediaType", "direction", "journeyContext", "messageType")
    }
    session = {
        "sessionId": f"session of {name}",
        "mediaType": fields["mediaType"].lower(),
        "direction": fields["direction"].lower(),
        **({"messageType": fields["messageType"].lower()} if "messageType" in fields else {}),
        **told,
        "segments": [
            {
                "segmentStart": _date(start),
                "segmentEnd": _date(end),
                "segmentType": "interact",
                "disconnectType": "peer",
            }
        ],
    }
    customer = {"participantId": f"customer of {name}", "purpose": "customer", "sessions": [session]}
    if contact:
        customer["externalContactId"] = contact
    conversation = {
        "conversationId": name, "conversationStart": _date(start), "conversationEnd": _date(end), "participants": [customer],
    }  # fmt: skip
    return json.dumps(conversation).encode()


# What happens to people. Each makes the conversations of some of them, and answers how many these were.


def known_callers(all_: Population) -> int:
    """The platform finds their contact by the number, mostly."""
    who = all_.person()
    for at in all_.days(2, 6):
        all_.call(
            who, at, who.mobile, who.contact if all_.chance.random() < 0.7 else None, late=all_.chance.random() < 0.3
        )
    if all_.chance.random() < 0.4:
        all_.mail(who, BEGIN + all_.chance.randrange(21 * DAY), who.email, who.contact)
    return 1


def unknown_callers(all_: Population) -> int:
    """No contact is ever made of them: calls and short messages from their own telephone."""
    who = all_.person()
    for at in all_.days(2, 5):
        (all_.call if all_.chance.random() < 0.6 else all_.text)(who, at, who.mobile)
    return 1


def households(all_: Population) -> int:
    """Two share the telephone at home. Agents link the contact of who speaks, if they do."""
    home = all_.number()
    for who in (all_.person(), all_.person()):
        for at in all_.days(2, 3):
            all_.call(who, at, who.mobile, who.contact if all_.chance.random() < 0.8 else None)
        for at in all_.days(1, 2):
            all_.call(who, at, home, who.contact if all_.chance.random() < 0.9 else None, late=True)
        if all_.chance.random() < 0.5:
            all_.mail(who, BEGIN + all_.chance.randrange(21 * DAY), who.email, who.contact)
    return 2


def switchboards(all_: Population) -> int:
    """Ten people of a company call from one number and write from their own addresses."""
    company = all_.number()
    for _ in range(10):
        who = all_.person()
        linked = all_.chance.random() < 0.8
        for at in all_.days(1, 3):
            all_.call(who, at, company, who.contact if linked and all_.chance.random() < 0.95 else None, late=True)
        for at in all_.days(2, 3):
            all_.mail(who, at, who.email, who.contact if linked else None)
    return 10


def new_numbers(all_: Population) -> int:
    """They change their number in the middle. What tells that it is them differs, and for some nothing does."""
    who, new = all_.person(), all_.number()
    days = list(all_.days(4, 6))
    for at in days[:2]:
        all_.call(who, at, who.mobile, who.contact if all_.chance.random() < 0.8 else None)
    how = all_.chance.choice(["linked"] * 6 + ["web"] * 3 + ["nothing"])
    for place, at in enumerate(days[2:]):
        if how == "web" and place == 0:
            all_.chat(who, at - MINUTE, who.cookie, who.contact)
            all_.chat(who, at, who.cookie, number=new)
        else:
            all_.call(who, at, new, who.contact if how == "linked" and all_.chance.random() < 0.85 else None, late=True)
    return 1


def recycled_numbers(all_: Population) -> int:
    """A number is one person's in the first week and another's in the third."""
    old, new = all_.person(), all_.person()
    number = old.mobile
    for day in (0, 2, 5):
        all_.call(old, BEGIN + day * DAY, number, old.contact if day != 2 else None)
    for day in (14, 16, 19):
        all_.call(new, BEGIN + day * DAY, number, new.contact if day != 16 else None, late=True)
    all_.mail(old, BEGIN + 15 * DAY, old.email, old.contact)
    all_.mail(new, BEGIN + 18 * DAY, new.email, new.contact)
    return 2


def chats_then_calls(all_: Population) -> int:
    """They write on the web site, are called back from there or not, and call later."""
    who = all_.person()
    days = list(all_.days(3, 5))
    known = all_.chance.random() < 0.5
    all_.chat(who, days[0], who.cookie, who.contact if known else None, late=True, number=who.mobile)
    for at in days[1:]:
        if all_.chance.random() < 0.3:
            all_.chat(who, at, who.cookie)
        else:
            all_.call(who, at, who.mobile, who.contact if known and all_.chance.random() < 0.3 else None)
    return 1


def missed_calls(all_: Population) -> int:
    """A missed call, a call back, and the rest by mail."""
    who = all_.person()
    at = BEGIN + all_.chance.randrange(18 * DAY)
    all_.call(who, at, who.mobile)
    if all_.chance.random() < 0.5:
        all_.ask_back(who, at + 2 * MINUTE, who.mobile)
    all_.call_back(who, at + HOUR, who.mobile, who.contact if all_.chance.random() < 0.97 else None)
    for hours in range(3, 3 + all_.chance.randint(1, 2)):
        all_.mail(who, at + hours * HOUR, who.email, who.contact if all_.chance.random() < 0.8 or hours == 3 else None)
    return 1


def doubled_contacts(all_: Population) -> int:
    """The platform makes a contact of each medium and finds out later that they are one."""
    who = all_.person()
    other = f"ephemeral {who.contact}"
    days = list(all_.days(4, 5))
    for at in days[:2]:
        all_.call(who, at, who.mobile, who.contact if all_.chance.random() < 0.8 else None)
    for at in days[2:]:
        all_.chat(who, at, who.cookie, other if all_.chance.random() < 0.8 or at == days[2] else None)
    if all_.chance.random() < 0.97:
        all_.merge(other, who.contact, days[-1] + HOUR)
    return 1


def visitors_who_log_in(all_: Population) -> int:
    """They look around first and log in later, on two devices."""
    who = all_.person()
    for device in (who.cookie, f"second {who.cookie}"):
        days = list(all_.days(2, 3))
        for at in days[:-1]:
            all_.chat(who, at, device)
        all_.chat(who, days[-1], device, who.contact, late=all_.chance.random() < 0.5)
    return 1


STORIES: Final[tuple[tuple[Callable[[Population], int], int], ...]] = (
    (known_callers, 52),
    (unknown_callers, 24),
    (households, 14),
    (switchboards, 10),
    (new_numbers, 16),
    (recycled_numbers, 2),
    (chats_then_calls, 26),
    (missed_calls, 30),
    (doubled_contacts, 14),
    (visitors_who_log_in, 12),
)
"""What happens, and to how many of the two hundred."""
