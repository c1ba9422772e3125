"""What a course of back-fill wants done, step by step, and what it is told in return."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, TypeVar

import msgspec

from journeymap.model.time import Millis

T = TypeVar("T")


class Ask(msgspec.Struct, frozen=True):
    """A request to the platform. The reply is an `Answer` or a `Refusal`. `ahead` is what will be asked next unless the answer is
    not as expected: it may be asked for while the answer is looked at."""

    method: str
    path: str
    params: Mapping[str, str | int] = {}
    document: Any = None
    ahead: Ask | None = None


class Answer(msgspec.Struct, frozen=True):
    """What the platform answered, and our clock then."""

    document: Mapping[str, Any]
    now: Millis

    def listed(self, name: str) -> list[Any]:
        """The list of this name; empty where there is none."""
        value = self.document.get(name)
        return value if isinstance(value, list) else []


class Refusal(msgspec.Struct, frozen=True):
    """The platform does not do what it was asked: a status from 400 to 499 that trying again does not change."""

    status: int
    message: str
    now: Millis
    permissions: tuple[str, ...] = ()


class Take(msgspec.Struct, frozen=True):
    """A record, or else (`state`) how a conversation stands now, unaltered, to be kept as one frame. There is no reply."""

    frame: bytes
    state: bool = False


class Wait(msgspec.Struct, frozen=True):
    """Let so many milliseconds pass. The reply is our clock."""

    length: Millis


class Known(msgspec.Struct, frozen=True):
    """Which conversations do we hold to be open at this time? The reply is a list of ids."""

    at: Millis


class Tell(msgspec.Struct, frozen=True):
    """How far it is, from 0 to 1. All from `reached` on is done, if that is given. There is no reply."""

    share: float
    reached: Millis | None = None


Step = Ask | Take | Wait | Known | Tell
Course = Generator[Step, Any, T]
"""Steps to be taken one after another, each answered as it says; it returns what came of it."""


class UnansweredError(Exception):
    """A refusal without which there is no going on."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def asked(step: Ask) -> Course[Answer]:
    """The answer. Raises `UnansweredError` where there is none."""
    reply = yield step
    if isinstance(reply, Refusal):
        raise UnansweredError(reply)
    assert isinstance(reply, Answer)
    return reply
