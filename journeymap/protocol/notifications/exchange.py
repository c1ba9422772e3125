"""What the shell tells the machine (inputs) and what the machine tells the shell to do (actions), beside those that it has
in common with Event Streams (`protocol.exchange`).

Secrets never pass here. Every request has a number of its own, and so has every socket.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from journeymap.model.time import Millis
from journeymap.protocol.exchange import (
    CloseSocket,
    HandshakeRefused,
    HoldAsked,
    ReleaseAsked,
    Report,
    RetryAsked,
    SendPing,
    SocketClosed,
    SocketOpened,
    Start,
    StopAsked,
    TimerDue,
)
from journeymap.protocol.notifications.frames import Control, Seen
from journeymap.protocol.notifications.topics import Offer, Refusal


class Discovered(msgspec.Struct, frozen=True):
    """The queues that the client may see, by id, and the topics that the platform offers."""

    request: int
    queues: tuple[str, ...]
    offer: Offer


class Prepared(msgspec.Struct, frozen=True):
    """A topic channel has its topics, but for the refused ones. `uri` is where its socket is, `token` the number of the token
    that it was made with, `renew_at` when one of the two is to be renewed; they are not said of a channel that was taken
    again, for it keeps them."""

    request: int
    channel_id: str
    uri: str = ""
    token: int = 0
    renew_at: Millis | None = None
    refusals: tuple[Refusal, ...] = ()


class TopicsSet(msgspec.Struct, frozen=True):
    """The topics were added or replaced, but for the refused ones."""

    request: int
    refusals: tuple[Refusal, ...] = ()


class RequestFailed(msgspec.Struct, frozen=True):
    """A request came to nothing. `refused`: for good, until an operator acts. `gone`: there is no such topic channel."""

    request: int
    message: str
    refused: bool = False
    gone: bool = False
    retry_after: Millis | None = None


class Heard(msgspec.Struct, frozen=True):
    """Something came on a socket: a control frame, or `data`, which tells of these conversations."""

    connection: int
    control: Control | None = None
    seen: tuple[Seen, ...] = ()
    data: bool = False


class Discover(msgspec.Struct, frozen=True):
    """Ask for the topics that are offered, and for all queues."""

    request: int


class Prepare(msgspec.Struct, frozen=True):
    """Make a topic channel, or take the one named if it is still there, and give it these topics and no others. `lane` keeps
    the requests of one channel in order; the token must be a newer one than `older`."""

    request: int
    lane: int
    channel_id: str | None
    topics: tuple[str, ...]
    older: int = 0


class SetTopics(msgspec.Struct, frozen=True):
    """Add topics to a channel, or put them in the place of all it has."""

    request: int
    lane: int
    channel_id: str
    topics: tuple[str, ...]
    replace: bool


class LetGo(msgspec.Struct, frozen=True):
    """Take all topics from a channel; it is not needed any more. Nobody waits for an answer."""

    lane: int
    channel_id: str


class OpenSocket(msgspec.Struct, frozen=True):
    """Open a WebSocket, in the background."""

    connection: int
    uri: str


Answer: TypeAlias = Prepared | TopicsSet | RequestFailed | Discovered
SocketInput: TypeAlias = SocketOpened | SocketClosed | HandshakeRefused | Heard
Input: TypeAlias = Start | Answer | SocketInput | TimerDue | RetryAsked | HoldAsked | ReleaseAsked | StopAsked
Action: TypeAlias = Discover | Prepare | SetTopics | LetGo | OpenSocket | CloseSocket | SendPing | Report
Actions: TypeAlias = tuple[Action, ...]
