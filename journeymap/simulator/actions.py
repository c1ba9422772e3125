"""Actions: what can be made to happen to the platform once. Each is a value; its fields are what one may say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import Meta
from websockets import frames
from websockets.exceptions import ProtocolError

from journeymap.errors import InputError
from journeymap.simulator.connections import Connection
from journeymap.simulator.garbage import FORMS
from journeymap.simulator.platform import REMEMBERED, Platform
from journeymap.simulator.publicapi.eventbridge import Destination
from journeymap.simulator.told import Outgoing

_LONGEST_REASON: Final = 123

Only = Literal["all", "oldest", "newest"]
"""Which of the open streams."""


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that happens once. The first line of an action's docstring is its help."""

    name: ClassVar[str]

    def on(self, platform: Platform) -> int:
        """Let it happen; answers how many streams, tokens, subscriptions or frames it concerned."""
        raise NotImplementedError


class Drop(Action, frozen=True):
    """Break streams off without a close frame: by a TCP reset, or by TCP's orderly end (`fin`)."""

    name = "drop"
    how: Literal["reset", "fin"] = "reset"
    only: Only = "all"

    def on(self, platform: Platform) -> int:
        """Break off, and forget the streams at once."""
        struck = _streams(platform, self.only)
        for connection in struck:
            platform.break_off(connection, reset=self.how == "reset")
        return len(struck)


class Close(Action, frozen=True):
    """Close streams with a code and a reason, such as 1013 with `retry after 5`, 1008, 4401 or 1012."""

    name = "close"
    code: int = 1012
    reason: str = ""
    only: Only = "all"

    def on(self, platform: Platform) -> int:
        """Close in order. Raises InputError for what no close frame can hold."""
        try:
            frames.Close(self.code, self.reason).serialize()
        except ProtocolError:
            raise InputError(f"close: code is {self.code}, which no close frame may hold") from None
        if len(self.reason.encode()) > _LONGEST_REASON:
            raise InputError(f"close: reason has more than {_LONGEST_REASON} bytes")
        struck = _streams(platform, self.only)
        for connection in struck:
            connection.close(self.code, self.reason)
        return len(struck)


class HalfOpen(Action, frozen=True):
    """Let streams go dead: nothing is sent or answered any more, not even pings and closes; TCP stays open."""

    name = "half_open"
    only: Only = "all"

    def on(self, platform: Platform) -> int:
        """Fall silent. The platform itself does not notice: it goes on as if the streams were live."""
        struck = _streams(platform, self.only)
        for connection in struck:
            connection.fall_silent()
        return len(struck)


class ExpireTokens(Action, frozen=True):
    """End the life of every token now; streams that came with them are closed with 4401."""

    name = "expire_tokens"

    def on(self, platform: Platform) -> int:
        """Forget the tokens; the next tick closes the streams."""
        count = len(platform.tokens)
        platform.tokens.clear()
        return count


class BreakProtocol(Action, frozen=True):
    """Send bytes that are not WebSocket (a frame with a reserved opcode), and nothing after them."""

    name = "break_protocol"
    only: Only = "all"

    def on(self, platform: Platform) -> int:
        """Send them; the line is dead afterwards, since no client can make sense of what follows."""
        struck = _streams(platform, self.only)
        for connection in struck:
            connection.break_protocol()
        return len(struck)


class SilenceSubscriptions(Action, frozen=True):
    """Let all subscriptions fall silent: they stand, but neither event nor heartbeat comes any more."""

    name = "silence_subscriptions"

    def on(self, platform: Platform) -> int:
        """Silence those that are live."""
        live = [known for known in platform.subscriptions.values() if known.is_live]
        for subscription in live:
            subscription.fall_silent()
        return len(live)


class ForgetSubscriptions(Action, frozen=True):
    """Forget all subscriptions without a word: no event comes any more, while the heartbeats of the stream go on."""

    name = "forget_subscriptions"

    def on(self, platform: Platform) -> int:
        """Forget them."""
        known = list(platform.subscriptions.values())
        for subscription in known:
            platform.unsubscribe(subscription)
        return len(known)


class SocketClosing(Action, frozen=True):
    """Say on every notification socket that it is about to close, and close it so many seconds later."""

    name = "socket_closing"
    grace: Annotated[float, Meta(ge=0, le=3_600)] = 60.0

    def on(self, platform: Platform) -> int:
        """Say it; a client has until then to connect anew to the same channel."""
        return platform.public.channels.announce_closing(round(self.grace * 1000)) if platform.public is not None else 0


class DeliverTo(Action, frozen=True):
    """Deliver detail events to this address from now on, as EventBridge would; none ends it."""

    name = "deliver_to"
    url: str = ""
    key: str = ""
    header: str = "x-api-key"

    def on(self, platform: Platform) -> int:
        """Deliver there, also what waits. Raises InputError for what no request can be made with."""
        if self.url and not self.url.startswith(("http://", "https://")):
            raise InputError(f"deliver_to: url is {self.url!r}, which is neither http nor https")
        if not f"{self.url}{self.key}{self.header}".isascii():
            raise InputError("deliver_to: url, key and header must be ASCII")
        if platform.public is not None:
            platform.public.eventbridge.deliver_to(Destination(self.url, self.key, self.header))
        return int(bool(self.url))


class Garbage(Action, frozen=True):
    """Send frames that cannot be used to every live subscription: one of each form, or of one form only."""

    name = "garbage"
    form: str = "all"

    def on(self, platform: Platform) -> int:
        """Send them. Raises InputError for an unknown form."""
        if self.form != "all" and self.form not in FORMS:
            raise InputError(f"garbage: form is {self.form!r}, allowed are all, {', '.join(FORMS)}")
        return platform.send_frames([FORMS[self.form]] if self.form != "all" else list(FORMS.values()))


class HugeFrame(Action, frozen=True):
    """Send an event in a frame of so many bytes, more than clients need take, in one piece or in fragments."""

    name = "huge_frame"
    size: Annotated[int, Meta(ge=1_000, le=64 << 20)] = 3 << 19
    fragments: Annotated[int, Meta(ge=1, le=10_000)] = 1

    def on(self, platform: Platform) -> int:
        """Send it to every live subscription."""
        event = {
            "eventId": f"huge-{self.size}",
            "type": "interaction.created",
            "timestamp": platform.now(),
            "payload": {"interactionId": f"huge-{self.size}", "channelType": "voice", "padding": ""},
        }
        bare = msgspec.json.encode(event)
        frame = bare.replace(b'"padding":"', b'"padding":"' + b"x" * (self.size - len(bare)))
        return platform.send_frames([Outgoing(frame, fragments=self.fragments)])


class Burst(Action, frozen=True):
    """Send so many new events at once, beyond any limit a second: ten seconds of another story, told within one."""

    name = "burst"
    events: Annotated[int, Meta(ge=1, le=20_000)] = 1_000

    def on(self, platform: Platform) -> int:
        """Tell and send them. It keeps the platform busy for up to a second."""
        return platform.burst(self.events)


class Repeat(Action, frozen=True):
    """Send the last so many events again, in the same order or shuffled."""

    name = "repeat"
    events: Annotated[int, Meta(ge=1, le=REMEMBERED)] = 100
    shuffled: bool = False

    def on(self, platform: Platform) -> int:
        """Send what was told last, as far as the platform remembers."""
        return platform.repeat(self.events, self.shuffled)


class ThrottleFrame(Action, frozen=True):
    """Say once that events were left out, though none were."""

    name = "throttle_frame"
    dropped: Annotated[int, Meta(ge=0)] = 10
    retry_after: Annotated[int, Meta(ge=0)] = 1

    def on(self, platform: Platform) -> int:
        """Send a throttle frame to every live subscription."""
        frame = {"type": "throttle", "retryAfterSeconds": self.retry_after, "dropped": self.dropped}
        return platform.send_frames([Outgoing(msgspec.json.encode(frame))])


class RawFrame(Action, frozen=True):
    """Send exactly this text as a frame to every live subscription."""

    name = "raw_frame"
    text: str = ""

    def on(self, platform: Platform) -> int:
        """Send it."""
        return platform.send_frames([Outgoing(self.text.encode())])


ACTIONS: Final[dict[str, type[Action]]] = {
    action.name: action
    for action in (
        Drop, Close, HalfOpen, BreakProtocol, ExpireTokens, SilenceSubscriptions, ForgetSubscriptions, SocketClosing,
        DeliverTo,
        Garbage, HugeFrame, Burst, Repeat, ThrottleFrame, RawFrame,
    )
}  # fmt: skip


def action(name: str, body: Mapping[str, Any]) -> Action:
    """The action of this name. Raises InputError that names what is wrong."""
    if name not in ACTIONS:
        raise InputError(f"no action is named {name!r}; there are {', '.join(ACTIONS)}")
    try:
        return msgspec.convert(dict(body), ACTIONS[name])
    except msgspec.ValidationError as error:
        raise InputError(f"{name}: {error}") from None


def help_of(kind: type[Action]) -> str:
    """What it does, in one line."""
    return (kind.__doc__ or "").splitlines()[0]


def signature(kind: type[Action]) -> str:
    """Its fields with their defaults."""
    return f"({', '.join(f'{field.name}={field.default!r}' for field in msgspec.structs.fields(kind))})"


def document() -> list[dict[str, object]]:
    """All actions with their fields, as the control endpoint shows them."""
    return [
        {
            "name": name,
            "help": help_of(kind),
            "fields": {field.name: field.default for field in msgspec.structs.fields(kind)},
        }
        for name, kind in ACTIONS.items()
    ]


def _streams(platform: Platform, only: str) -> list[Connection]:
    streams = [connection for connection in platform.connections.values() if connection.is_open]
    streams += platform.public.connections() if platform.public is not None else []
    return {"all": streams, "oldest": streams[:1], "newest": streams[-1:]}[only]
