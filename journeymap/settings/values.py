"""Kinds of setting: how a value is read from text, how it is shown, and what is allowed, in words."""

from __future__ import annotations

import ipaddress
import math
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import GetCoreSchemaHandler, SecretStr
from pydantic_core import core_schema

from journeymap.settings.regions import domain_of

UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
SIZES: Final = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
MASKED: Final = "******"


class NotAllowedError(ValueError):
    """A value cannot be used; the message says what is allowed."""


@dataclass(frozen=True)
class Kind:
    """A kind of setting. `parse` takes what was given (text or a TOML value) and raises ValueError on a wrong one."""

    allowed: str
    parse: Callable[[Any], Any]
    show: Callable[[Any], str] = str

    def read(self, given: Any) -> Any:
        """The value meant by `given`; raises NotAllowedError with the words of `allowed`."""
        try:
            return self.parse(given)
        except NotAllowedError:
            raise
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError):
            raise NotAllowedError(self.allowed) from None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)


def _number_of(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise TypeError
    number = float(given)
    if not math.isfinite(number):
        raise ValueError
    return number


def whole(least: int, most: int) -> Kind:
    """A whole number in this range, both ends included."""

    def parse(given: Any) -> int:
        number = int(given) if isinstance(given, str) else given
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise ValueError
        return number

    return Kind(f"a whole number from {least} to {most}", parse)


def number(least: float, most: float, note: str = "") -> Kind:
    """A number in this range, both ends included."""

    def parse(given: Any) -> float:
        value = _number_of(given)
        if not least <= value <= most:
            raise ValueError
        return value

    return Kind(f"a number from {least:g} to {most:g}{note}", parse, lambda value: f"{value:g}")


def length(least: str, most: str, bare: str = "s") -> Kind:
    """A length of time, kept in milliseconds; a number without a unit counts in `bare`."""

    def measure(given: Any) -> int:
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*", str(given), re.ASCII)
        if isinstance(given, bool) or match is None:
            raise ValueError
        return round(float(match[1]) * UNITS[match[2] or bare])

    lowest, highest = measure(least), measure(most)

    def parse(given: Any) -> int:
        value = measure(given)
        if not lowest <= value <= highest:
            raise ValueError
        return value

    meaning = "milliseconds" if bare == "ms" else "seconds"
    allowed = f"a length of time from {least} to {most}, such as 500ms, 90s, 30m, 4h or 7d (a bare number: {meaning})"
    return Kind(allowed, parse, show_length)


def show_length(value: int) -> str:
    """A length in milliseconds as people write it."""
    for unit in ("d", "h", "m", "s"):
        if value and value % UNITS[unit] == 0 and (unit != "d" or value > UNITS["d"]):
            return f"{value // UNITS[unit]}{unit}"
    return f"{value}ms"


def _parse_size(given: Any) -> int:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?i?B?)\s*", str(given), re.ASCII | re.IGNORECASE)
    if isinstance(given, bool) or match is None:
        raise ValueError
    unit = next(size for name, size in SIZES.items() if name[0].upper() == (match[2] or "B")[0].upper())
    value = round(float(match[1]) * unit)
    if not SIZES["MiB"] <= value <= 1024 * SIZES["TiB"]:
        raise ValueError
    return value


def _show_size(value: int) -> str:
    name, unit = next((name, unit) for name, unit in reversed(SIZES.items()) if value % unit == 0)
    return f"{value // unit}{name}"


SIZE: Final = Kind("a size of at least 1MiB, such as 64MiB, 1GiB or 1.5GiB", _parse_size, _show_size)


def choice(*names: str) -> Kind:
    """One of these words, in any case."""

    def parse(given: Any) -> str:
        word = given.strip().lower()
        if word not in names:
            raise ValueError
        return str(word)

    return Kind(" or ".join(names), parse)


def _parse_text(given: Any) -> str:
    text = str(given).strip()
    if not text or not text.isprintable() or isinstance(given, dict | list | bool):
        raise ValueError
    return text


TEXT: Final = Kind("a line of text", _parse_text)
PATH: Final = Kind("the path of a file", lambda given: Path(_parse_text(given)))
SECRET: Final = Kind(
    "a line of text",
    lambda given: given if isinstance(given, SecretStr) else SecretStr(_parse_text(given)),
    lambda _: MASKED,
)


def _parse_key(given: Any) -> SecretStr:
    text = _parse_text(given.get_secret_value() if isinstance(given, SecretStr) else given)
    if not re.fullmatch(r"[!-~]{16,512}", text):
        raise ValueError
    return SecretStr(text)


KEY: Final = Kind(
    "16 to 512 letters, digits and other visible ASCII characters without spaces", _parse_key, lambda _: MASKED
)


def _parse_name(given: Any) -> str:
    name = _parse_text(given)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name, re.ASCII):
        raise ValueError
    return name


NAME: Final = Kind("a name of letters, digits, dots, dashes and underscores", _parse_name)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine itself."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parse_host(given: Any) -> str:
    host = _parse_text(given).strip("[]")
    if not is_loopback(host):
        raise ValueError
    return host


HOST: Final = Kind(
    "a loopback address (127.0.0.1, ::1 or localhost), since without AUTH anyone who reaches the port could read every"
    " journey; put a proxy that asks who is there in front",
    _parse_host,
)


def address(secure: str, plain: str) -> Kind:
    """A URL of the `secure` scheme; the `plain` one is for loopback only."""

    def parse(given: Any) -> str:
        text = _parse_text(given).rstrip("/")
        parts = urlsplit(text)
        fits = parts.scheme == secure or (parts.scheme == plain and is_loopback(parts.hostname or ""))
        if not fits or not parts.hostname or parts.username or parts.query or parts.fragment or parts.port == 0:
            raise ValueError
        return text

    return Kind(
        f"{secure}://HOST, or {plain}:// for a host that is loopback; without user name, query or fragment", parse
    )


ADDRESS: Final = address("https", "http")


def _parse_queue(given: Any) -> str:
    text = ADDRESS.parse(given)
    account, _, name = urlsplit(text).path.removeprefix("/").rpartition("/")
    if not account or not re.fullmatch(r"[A-Za-z0-9_-]{1,80}(\.fifo)?", name, re.ASCII):
        raise ValueError
    return str(text)


QUEUE: Final = Kind(
    "the URL of an SQS queue, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, or http:// for a host that is loopback",
    _parse_queue,
)


def _parse_web_hook(given: Any) -> SecretStr:
    text = _parse_text(given.get_secret_value() if isinstance(given, SecretStr) else given)
    parts = urlsplit(text)
    fits = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not fits or not parts.hostname or parts.username or parts.fragment or parts.port == 0:
        raise ValueError
    return SecretStr(text)


WEB_HOOK: Final = Kind(
    "https://HOST/…, or http:// for a host that is loopback; without user name or fragment",
    _parse_web_hook,
    lambda _: MASKED,
)


def _parse_zone(given: Any) -> str:
    name = _parse_text(given)
    try:
        return zoneinfo.ZoneInfo(name).key
    except (zoneinfo.ZoneInfoNotFoundError, OSError):
        raise ValueError from None


ZONE: Final = Kind("a time zone such as UTC or Europe/Vienna", _parse_zone)
REGION: Final = Kind(
    "a region such as us_east_1 or eu_west_1, or its domain", lambda given: domain_of(_parse_text(given))
)

IDENTITY_RULES: Final = ("contact", "phone", "email", "messaging", "visitor")


def _several(given: Any) -> list[str]:
    """What stands between commas, or in a list."""
    parts = given if isinstance(given, list | tuple) else _parse_text(given).split(",")
    return [found for part in parts if (found := _parse_text(part) if str(part).strip() else "")]


def _parse_rules(given: Any) -> tuple[str, ...]:
    names = [name.lower() for name in _several(given)]
    if names == ["none"]:
        return ()
    if not names or len(set(names)) != len(names) or not set(names) <= set(IDENTITY_RULES) or "contact" in names[1:]:
        raise ValueError
    return tuple(names)


RULES: Final = Kind(
    "contact, phone, email, messaging and visitor, or some of them, each once and contact first, with commas; or none",
    _parse_rules,
    lambda rules: ", ".join(rules) or "none",
)


def _parse_keys(given: Any) -> tuple[str, ...]:
    patterns = [_spelled(pattern) for pattern in _several(given)]
    if any(not pattern.strip("*?") for pattern in patterns):
        raise ValueError
    return tuple(sorted(set(patterns)))


def _spelled(pattern: str) -> str:
    """A pattern as keys are spelled: telephone numbers without what people put between the digits."""
    kind, colon, rest = pattern.rpartition(":")
    number = re.sub(r"[ ()./-]", "", rest)
    is_number = re.fullmatch(r"\+?[0-9*?]+", number) is not None and kind.lower() in ("", "phone", "tel")
    if not is_number:
        return pattern.lower()
    return f"{'phone' if kind else ''}{colon}{number}"


KEYS: Final = Kind(
    "telephone numbers, e-mail addresses or other ids, with commas; * stands for anything, as in *@example.com",
    _parse_keys,
    ", ".join,
)

LIVE_SOURCES: Final = ("simulator", "eventstreams", "notifications", "eventbridge")


def _parse_source(given: Any) -> str:
    names = [name.strip() for name in _parse_text(given).split(",")]
    for name in names:
        if name not in LIVE_SOURCES and not (name.startswith("file:") and len(name) > len("file:")):
            raise ValueError
    if len(set(names)) != len(names):
        raise ValueError
    return ",".join(names)


SOURCE: Final = Kind(f"{', '.join(LIVE_SOURCES)} or file:PATH; several with commas", _parse_source)


def _parse_store(given: Any) -> str:
    text = _parse_text(given)
    if not text.startswith("disk:") or len(text) == len("disk:"):
        raise ValueError
    return text


STORE: Final = Kind("disk:PATH", _parse_store)
