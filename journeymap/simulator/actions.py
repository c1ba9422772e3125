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
from journeymap.simulator.platform import Platform

_LONGEST_REASON: Final = 123

Only = Annotated[Literal["all", "oldest", "newest"], Meta(description="Which of the open streams.")]


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


ACTIONS: Final[dict[str, type[Action]]] = {action.name: action for action in (Drop, Close, HalfOpen, ExpireTokens)}


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
    return {"all": streams, "oldest": streams[:1], "newest": streams[-1:]}[only]
