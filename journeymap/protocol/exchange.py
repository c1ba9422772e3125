"""What the shell tells the machine (inputs) and what the machine tells the shell to do (actions), as values.

Secrets never pass here: a token is known by the number of the request that fetched it, a socket by its number.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from journeymap.model.time import Millis
from journeymap.protocol.frames import Control


class Start(msgspec.Struct, frozen=True):
    """Begin."""


class TokenObtained(msgspec.Struct, frozen=True):
    """The platform granted a token. Its life is counted from when it was asked for."""

    request: int
    refresh_at: Millis
    expires_at: Millis
    obtained_at: Millis = 0

    @property
    def last_call(self) -> Millis:
        """The latest moment to try once more what was put off, so that it may be done before the token ends."""
        return self.expires_at - (self.expires_at - self.refresh_at) // 10


class TokenRefused(msgspec.Struct, frozen=True):
    """The platform refused the credentials."""

    request: int
    message: str


class TokenFailed(msgspec.Struct, frozen=True):
    """No token for a reason that may pass."""

    request: int
    message: str
    retry_after: Millis | None = None


class SocketOpened(msgspec.Struct, frozen=True):
    """The WebSocket handshake is done."""

    connection: int


class SocketClosed(msgspec.Struct, frozen=True):
    """The socket is gone, or never came to be (`code` None). `message` says why where the code does not."""

    connection: int
    code: int | None = None
    message: str = ""
    retry_after: Millis | None = None


class HandshakeRefused(msgspec.Struct, frozen=True):
    """The server answered the handshake with an HTTP status instead."""

    connection: int
    status: int
    retry_after: Millis | None = None


class FrameReceived(msgspec.Struct, frozen=True):
    """A control frame came, or (None) one or more data frames, with about so many events in them."""

    connection: int
    control: Control | None = None
    events: int = 0


class PongReceived(msgspec.Struct, frozen=True):
    """The server answered a ping (`last`: the one that was sent as the last), or sent one."""

    connection: int
    last: bool = False


class Subscribed(msgspec.Struct, frozen=True):
    """The platform answered the subscription. What it leaves out is None. `asked` is the number of events a second that it
    was asked for, `max_events_per_second` what it says to that."""

    connection: int
    subscription: str
    callback_url: str | None = None
    connection_id: str | None = None
    status: str | None = None
    max_events_per_second: int | None = None
    asked: int = 0


class SubscribeFailed(msgspec.Struct, frozen=True):
    """No subscription. `status` is the HTTP status, None where there was no answer."""

    connection: int
    message: str
    status: int | None = None
    retry_after: Millis | None = None


class Unsubscribed(msgspec.Struct, frozen=True):
    """The request to delete a subscription has had its answer, or its failure."""

    subscription: str


class TimerDue(msgspec.Struct, frozen=True):
    """The time of `next_due` has come. Too early or too late does no harm."""


class RetryAsked(msgspec.Struct, frozen=True):
    """An operator says "try again"."""


class HoldAsked(msgspec.Struct, frozen=True):
    """Read nothing more until released. `reason` is one line."""

    reason: str


class ReleaseAsked(msgspec.Struct, frozen=True):
    """Reading may go on."""


class StopAsked(msgspec.Struct, frozen=True):
    """End."""


SocketInput: TypeAlias = (
    SocketOpened | SocketClosed | HandshakeRefused | FrameReceived | PongReceived | Subscribed | SubscribeFailed
)
TokenInput: TypeAlias = TokenObtained | TokenRefused | TokenFailed
Input: TypeAlias = (
    Start | TokenInput | SocketInput | Unsubscribed | TimerDue | RetryAsked | HoldAsked | ReleaseAsked | StopAsked
)


class FetchToken(msgspec.Struct, frozen=True):
    """Ask for a token, in the background."""

    request: int


class OpenSocket(msgspec.Struct, frozen=True):
    """Open a WebSocket with the token of that request, in the background."""

    connection: int
    token: int


class CloseSocket(msgspec.Struct, frozen=True):
    """Close the socket, also one that is still being opened."""

    connection: int


class Subscribe(msgspec.Struct, frozen=True):
    """Ask for a subscription to that callback URL, in the background."""

    connection: int
    token: int
    callback_url: str
    max_events_per_second: int


class Unsubscribe(msgspec.Struct, frozen=True):
    """Delete a subscription, in the background."""

    token: int
    subscription: str


class SendPing(msgspec.Struct, frozen=True):
    """Send a ping. `last`: its answer must be told from that of any other."""

    connection: int
    last: bool = False


class Report(msgspec.Struct, frozen=True):
    """Say loudly what went wrong. `refused`: it is a hard error, nothing is tried until an operator acts. `harmless`: the
    stream goes on as it was."""

    message: str
    refused: bool = False
    harmless: bool = False


Action: TypeAlias = FetchToken | OpenSocket | CloseSocket | Subscribe | Unsubscribe | SendPing | Report
