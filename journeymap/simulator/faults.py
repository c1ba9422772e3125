"""Faults as one table: what can be wrong with the platform for as long as one likes, and what is wrong now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple, get_type_hints

import msgspec
from msgspec import Meta

from journeymap.errors import InputError

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DAY: Final = 86_400.0


def seconds_of(text: str) -> float:
    """A length of time in seconds: 90, 90s, 500ms, 30m, 2h, also negative. Raises ValueError for anything else."""
    match = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*", text, re.ASCII)
    if match is None:
        raise ValueError(f"{text!r} is not a length of time; write 45s, 30m or 2h")
    return float(match[1]) * _UNITS[match[2] or "s"]


def _flag(text: str) -> Meta:
    return Meta(description=text, extra={"allowed": "true or false"})


def _share(text: str) -> Meta:
    return Meta(ge=0, le=1, description=text, extra={"allowed": "numbers from 0 to 1"})


def _whole(most: int, text: str) -> Meta:
    return Meta(ge=0, le=most, description=text, extra={"allowed": f"whole numbers from 0 to {most}"})


def _seconds(most: float, text: str, least: float = 0.0) -> Meta:
    allowed = f"seconds from {least:g} to {most:g} (also 500ms, 2m, …)"
    return Meta(ge=least, le=most, description=text, extra={"allowed": allowed, "seconds": True})


def _answer(*answers: str, text: str) -> Meta:
    allowed = f"{', '.join(answers)}, each also with :N for the next N times only"
    return Meta(pattern=rf"^({'|'.join(answers)})(:[1-9]\d{{0,5}})?$", description=text, extra={"allowed": allowed})


def _names(text: str) -> Meta:
    return Meta(pattern=r"^[A-Za-z:*+]*$", description=text, extra={"allowed": "names with + between them"})


def _every(text: str) -> Meta:
    return _seconds(_DAY, f"At random, this many seconds apart on average, {text}.")


class Faults(msgspec.Struct):
    """What is wrong now. An attribute that is 0, empty or False is no fault; all times are in seconds."""

    token_life: Annotated[float, _seconds(_DAY, "New tokens live so long, whatever --token-life says.")] = 0.0
    refuse_credentials: Annotated[
        bool, _flag("Every token request, API call and new connection is refused with 401, whatever it brings.")
    ] = False
    refuse_tokens: Annotated[str, _answer("400", "401", "403", text="Token requests are refused.")] = ""
    missing_scope: Annotated[
        str,
        _answer(
            "eventstream.read", "interaction.read", "conversation.read", text="Tokens are granted without this scope."
        ),
    ] = ""
    fail_tokens: Annotated[
        str, _answer("429", "500", "503", "hang", "garbage", text="Token requests fail for a passing reason.")
    ] = ""
    fail_metadata: Annotated[
        str, _answer("404", "500", "hang", "garbage", text="The OAuth metadata cannot be had.")
    ] = ""
    refuse_handshakes: Annotated[str, _answer("401", "403", text="New streams are refused.")] = ""
    fail_handshakes: Annotated[
        str, _answer("429", "500", "503", "hang", text="New streams fail for a passing reason.")
    ] = ""
    no_greeting: Annotated[bool, _flag("A new stream does not begin with connection.opened.")] = False
    refuse_subscriptions: Annotated[str, _answer("401", "403", "409", text="Subscriptions are refused.")] = ""
    fail_subscriptions: Annotated[
        str, _answer("429", "500", "503", "hang", "garbage", text="Subscriptions fail for a passing reason.")
    ] = ""
    fail_cleanup: Annotated[
        str, _answer("429", "500", "503", "hang", text="Listing, reading and deleting subscriptions fails.")
    ] = ""
    retry_after: Annotated[
        int,
        _whole(86_400, "The Retry-After of answers 429 and 503, and of throttle frames; 0 leaves it out of answers."),
    ] = 1
    retry_after_as_date: Annotated[bool, _flag("Retry-After is an HTTP date instead of seconds.")] = False
    mismatched_subscriptions: Annotated[
        str,
        _answer(
            "connection",
            "callback",
            text="New subscriptions are answered with another connection id or callback URL, and bring nothing.",
        ),
    ] = ""
    silent_subscriptions: Annotated[
        bool, _flag("New subscriptions are answered with 201, then neither event nor heartbeat comes, for good.")
    ] = False
    lingering_subscriptions: Annotated[
        bool, _flag("Subscriptions outlive their stream and count towards the limit until they are deleted.")
    ] = False
    subscription_limit: Annotated[
        int, _whole(100, "So many subscriptions are allowed at a time, instead of 100; one more is answered with 409.")
    ] = 0
    heartbeat_loss: Annotated[bool, _flag("No heartbeats are sent; events go on.")] = False
    pong_loss: Annotated[bool, _flag("Pings of clients are not answered; everything else goes on.")] = False
    throttle: Annotated[
        int,
        _whole(
            100_000,
            "The platform itself manages so many events a second for each subscription, below what that asks for: it leaves"
            " out the rest and says so in throttle frames.",
        ),
    ] = 0
    fail_api: Annotated[
        str,
        _answer("401", "429", "500", "503", "504", "hang", "garbage", text="Requests to the public APIs fail."),
    ] = ""
    rate_limit: Annotated[
        int,
        _whole(100_000, "So many requests a minute are allowed with each token by the public APIs, instead of 300."),
    ] = 0
    rate_window: Annotated[
        float,
        _seconds(3_600, "The limits on requests to the public APIs are those of so many seconds, not of a minute."),
    ] = 0.0
    missing_permissions: Annotated[
        str, _names("Permissions that the client's roles lack, as in routing:queue:view+directory:user:view.")
    ] = ""
    no_detail_topics: Annotated[
        bool, _flag("Topics of detail events are not to be had over a socket, by EventBridge only.")
    ] = False
    channel_life: Annotated[
        float, _seconds(_DAY, "Notification channels live so long, whatever --channel-life says.")
    ] = 0.0
    one_socket: Annotated[
        str,
        _answer(
            "close",
            "tell",
            text="A second socket of a notification channel ends the first even if that was told to go: by a close, or with"
            " no_longer_subscribed before it.",
        ),
    ] = ""
    analytics_lag: Annotated[
        float, _seconds(3_600, "Analytics records are so much behind what happens; jobs have a lag of their own.")
    ] = 0.0
    query_days: Annotated[int, _whole(366, "A details query may span so many days, instead of 7.")] = 0
    query_reach_days: Annotated[int, _whole(3_660, "A details query may reach back so many days, instead of 35.")] = 0
    query_records: Annotated[
        int, _whole(1_000_000, "A details query gives so many records at most, over all pages, instead of 100,000.")
    ] = 0
    job_time: Annotated[float, _seconds(3_600, "A job takes so long, instead of 1 s.")] = 0.0
    job_lag: Annotated[float, _seconds(_DAY, "Jobs find nothing of the last so many seconds, instead of an hour.")] = (
        0.0
    )
    clock_skew: Annotated[
        float, _seconds(_DAY, "The platform's clock is wrong by so much: Date headers, event timestamps.", -_DAY)
    ] = 0.0
    latency: Annotated[float, _seconds(60, "Everything the platform says arrives so much later.")] = 0.0
    slow_frames: Annotated[
        float, _seconds(60, "What is sent on a stream trickles out in eight pieces over so many seconds.")
    ] = 0.0
    fragments: Annotated[
        int, _whole(1_000, "Each frame is cut into so many WebSocket fragments, with a ping after the first.")
    ] = 0
    frame_size: Annotated[
        int, _whole(1_000, "Most events in a frame in a burst, whatever --frame-size says; 1 for one a frame always.")
    ] = 0
    padding: Annotated[
        int,
        _whole(1 << 20, "Each event carries so many bytes more; a frame over 1 MiB is more than clients need take."),
    ] = 0
    late: Annotated[float, _share("Share of events that are held back, beside what --late does.")] = 0.0
    duplicates: Annotated[float, _share("Share of events that are sent again, beside what --duplicates does.")] = 0.0
    longest_delay: Annotated[
        float, _seconds(3_600, "How much later `late` and `duplicates` bring an event at most; 0 means 60 s.")
    ] = 0.0
    reordering: Annotated[
        float, _seconds(60, "Each event is held back for a random time up to this, so that they overtake each other.")
    ] = 0.0
    drop_every: Annotated[float, _every("a stream is broken off, by a reset or in TCP's order")] = 0.0
    close_every: Annotated[float, _every("a stream is closed, with one of the usual codes")] = 0.0
    half_open_every: Annotated[float, _every("a stream goes dead as with the action half_open")] = 0.0
    break_protocol_every: Annotated[float, _every("a stream carries what is not WebSocket")] = 0.0
    expire_tokens_every: Annotated[float, _every("all tokens expire")] = 0.0
    silence_subscriptions_every: Annotated[float, _every("the subscriptions fall silent")] = 0.0
    garbage_every: Annotated[float, _every("all forms of garbage are sent")] = 0.0
    burst_every: Annotated[float, _every("a burst of 1,000 events is sent")] = 0.0
    chance_seed: Annotated[int, _whole((1 << 53) - 1, "Another seed for the faults that end in _every.")] = 0

    def change(self, given: Mapping[str, object]) -> None:
        """Set these faults, all or none; text is read as on a command line, None, "" and "off" mean the default.

        Raises InputError that names what is wrong and what is allowed.
        """
        read = {name: _read(name, value) for name, value in given.items()}
        for name, value in read.items():
            setattr(self, name, value)

    def reset(self) -> None:
        """Nothing is wrong any more."""
        for row in TABLE.values():
            setattr(self, row.name, row.default)

    def take(self, name: str) -> str:
        """The wrong answer to give this time, empty if none; one that is given N times is counted down."""
        answer, _, times = str(getattr(self, name)).partition(":")
        if times:
            setattr(self, name, f"{answer}:{int(times) - 1}" if int(times) > 1 else "")
        return answer

    def document(self) -> list[dict[str, object]]:
        """All faults with their values, as the control endpoint shows them."""
        return [
            {"name": row.name, "value": getattr(self, row.name)}
            | {"default": row.default, "allowed": row.allowed, "help": row.help}
            for row in TABLE.values()
        ]


class Fault(NamedTuple):
    """A row of the table."""

    name: str
    default: Any
    allowed: str
    help: str
    type: Any
    in_seconds: bool


def _table() -> dict[str, Fault]:
    hints = get_type_hints(Faults, include_extras=True)
    rows = {}
    for field in msgspec.structs.fields(Faults):
        meta: Meta = hints[field.name].__metadata__[0]
        extra = meta.extra or {}
        in_seconds = "seconds" in extra
        rows[field.name] = Fault(
            field.name, field.default, extra["allowed"], meta.description or "", hints[field.name], in_seconds
        )
    return rows


TABLE: Final = _table()


def assignment(text: str) -> tuple[str, object]:
    """The fault and the value that `NAME=VALUE` means; NAME alone switches it on."""
    name, equals, value = text.partition("=")
    return name.strip(), value.strip() if equals else True


def _read(name: str, given: object) -> object:
    row = TABLE.get(name)
    if row is None:
        raise InputError(f"no fault is named {name!r}; there are {', '.join(TABLE)}")
    if given is None or given in ("", "off"):
        return row.default
    if given == "on":
        given = True
    try:
        if row.in_seconds and isinstance(given, str):
            given = seconds_of(given)
        if isinstance(row.default, str) and isinstance(given, int) and not isinstance(given, bool):
            given = str(given)
        value: object = msgspec.convert(given, row.type, strict=False)
    except ValueError:
        raise InputError(f"{name} is {given!r}, allowed are {row.allowed}") from None
    return value
