"""Who appears in the simulated story: queues, agents with names, and customers with ids that never collide."""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

CHANNELS = ("voice", "chat", "email", "message", "callback")

_MASK = (1 << 64) - 1
_SCATTER = 0x9E3779B97F4A7C15
_STIR = 0xBF58476D1CE4E5B9
_CHECK = 0x94D049BB133111EB
_UNSCATTER = pow(_SCATTER, -1, 1 << 64)
_UNSTIR = pow(_STIR, -1, 1 << 64)

_FIRST_NAMES = (
    "Amelia", "Ben", "Chiara", "Daniel", "Elif", "Farid", "Grace", "Hanna", "Ivan", "Julia", "Kofi", "Lena", "Marco",
    "Nadia", "Oliver", "Priya", "Quinn", "Rosa", "Sven", "Tara", "Umar", "Vera", "Wei", "Ximena", "Yusuf", "Zoe",
)  # fmt: skip
_LAST_NAMES = (
    "Adler", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Hughes", "Ito", "Jansen", "Kumar", "Lopez",
    "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Silva", "Tanaka", "Urban", "Vogel", "Weber", "Young",
)  # fmt: skip


class Queue(NamedTuple):
    """A queue: how much of the traffic it takes, which channels it is skilled for, how tightly it is staffed."""

    name: str
    share: float
    channels: tuple[str, ...]
    agents: int
    utilisation: float
    outcomes: tuple[str, ...]


QUEUES = (
    Queue("Billing", 0.26, CHANNELS, 12, 0.63,
          ("Invoice explained", "Payment arranged", "Refund issued", "Address corrected")),
    Queue("Technical Support", 0.27, CHANNELS, 14, 0.70,
          ("Issue resolved", "Technician booked", "Replacement sent", "Escalated", "Known outage")),
    Queue("Sales", 0.18, CHANNELS, 10, 0.59,
          ("Order placed", "Offer sent", "Not interested", "Call back later")),
    Queue("Orders", 0.17, ("voice", "chat", "email", "message"), 10, 0.61,
          ("Order status given", "Order changed", "Order cancelled", "Return arranged")),
    Queue("Retention", 0.12, ("voice", "chat", "callback"), 6, 0.55,
          ("Contract kept", "Contract cancelled", "Discount granted", "Undecided")),
)  # fmt: skip


class Agent(NamedTuple):
    """An agent as the events name one."""

    agent_id: str
    name: str


def fingerprint(text: str) -> int:
    """64 bits that depend on every character of the text and are the same in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def unique_key(number: int, salt: int) -> int:
    """A random-looking 64-bit key; different numbers below 2**64 give different keys (every step can be undone)."""
    key = (number * _SCATTER + salt) & _MASK
    key ^= key >> 29
    key = key * _STIR & _MASK
    return key ^ key >> 32


def number_of(key: int, salt: int) -> int:
    """The number below 2**64 that has this key: what `unique_key` did, undone."""
    key ^= key >> 32
    key = key * _UNSTIR & _MASK
    key ^= key >> 29 ^ key >> 58
    return (key - salt) * _UNSCATTER & _MASK


def conversation_id(key: int, contact: int) -> str:
    """The id of a visitor's conversation, a UUID in form. It can be undone, so that nobody need keep a list of them."""
    text = f"{key:016x}"
    check = key * _CHECK + contact & 0xFFFFFFFFFFFF
    return f"{text[:8]}-{text[8:12]}-4{text[12:15]}-8{text[15]}{contact:02x}-{check:012x}"


def key_and_contact(conversation: str) -> tuple[int, int] | None:
    """Whose conversation has this id, and which of theirs it is; None where no conversation can have it."""
    try:
        key = int(conversation[:8] + conversation[9:13] + conversation[15:18] + conversation[20], 16)
        contact = int(conversation[21:23], 16)
    except (ValueError, IndexError):
        return None
    return (key, contact) if conversation_id(key, contact) == conversation else None


def uuid_of(text: str) -> str:
    """A UUID that depends on every character of the text and is the same in every process."""
    found = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{found[:8]}-{found[8:12]}-4{found[13:16]}-a{found[17:20]}-{found[20:]}"


def rosters(size: int) -> dict[str, tuple[Agent, ...]]:
    """The agents of every queue, about `size` of them in all, at least six a queue."""
    rosters: dict[str, tuple[Agent, ...]] = {}
    number = 0
    for queue in QUEUES:
        count = max(6, round(size * queue.share))
        rosters[queue.name] = tuple(_agent(number + place) for place in range(count))
        number += count
    return rosters


class Directory:
    """Customer ids: a scattered numbering of the places in the story, which begins again when it is used up."""

    def __init__(self, places: int, salt: int) -> None:
        self._places = max(places, 1000)
        self._shift = salt % self._places
        step = round(self._places * 0.6180339887) | 1
        while math.gcd(step, self._places) != 1:
            step += 2
        self._step = step

    def customer_id(self, place: int) -> str:
        """The id of the customer who arrives at this place of the story."""
        return f"cust-{10_000 + (place * self._step + self._shift) % self._places}"


def _agent(number: int) -> Agent:
    scattered = number * 389 % (len(_FIRST_NAMES) * len(_LAST_NAMES))
    first, last = scattered % len(_FIRST_NAMES), scattered // len(_FIRST_NAMES)
    return Agent(f"agent-{number + 1:04d}", f"{_FIRST_NAMES[first]} {_LAST_NAMES[last]}")
