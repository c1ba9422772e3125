"""Reads the settings, once, at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import SecretStr, ValidationError

from journeymap.errors import ConfigurationError
from journeymap.settings.layers import CHANNEL_SUFFIX, CommandLine, SettingsFile, Variables
from journeymap.settings.regions import addresses
from journeymap.settings.table import (
    NAMES,
    PER_CHANNEL,
    SHIPPED_CLOSE_AFTER,
    SHIPPED_IDLE_AFTER,
    TIMEOUT,
    Settings,
    kind_of,
    show,
    table,
)
from journeymap.settings.values import KEY, MASKED, SECRET, WEB_HOOK, Kind, NotAllowedError

FILE_SUFFIX: Final = "_file"
SECRETS_IN_FILES: Final = ("client_secret", "eventbridge_key")
"""Secrets that may stand in a file, which a setting of their name and `_FILE` names."""

SHIPPED: Final = {"idle_after": SHIPPED_IDLE_AFTER, "close_after": SHIPPED_CLOSE_AFTER}


def load(overrides: Mapping[str, Any] | None = None, *, shipped_timeouts: bool = True) -> Settings:
    """The settings in force: `overrides` (from the command line; None means not given) over environment over file.

    `shipped_timeouts` adds the per-channel time-outs of the live product, below all that is set. Raises
    ConfigurationError, in one line, for the first thing that is wrong.
    """
    command_line = CommandLine(Settings)
    command_line.take(overrides or {})
    try:
        settings = Settings(**command_line())
    except ValidationError as error:
        raise ConfigurationError(sentence(error, command_line)) from None
    return complete(settings, shipped_timeouts)


def complete(settings: Settings, shipped_timeouts: bool) -> Settings:
    """Fill in what follows from other settings."""
    update: dict[str, Any] = {}
    origins = dict(settings.origins)
    if settings.region is not None:
        for name, address in addresses(settings.region).items():
            if getattr(settings, name) is None:
                update[name] = address
                origins[name] = "REGION"
    for name in SECRETS_IN_FILES:
        path = getattr(settings, name + FILE_SUFFIX)
        if path is None:
            continue
        file = f"{name}{FILE_SUFFIX}".upper()
        if getattr(settings, name) is not None:
            raise ConfigurationError(f"{name.upper()} and {file} are both set: one of them is allowed")
        update[name] = secret_from(path, file, kind_of(name))
        origins[name] = file
    if "store" not in origins and settings.sources == ("simulator",):
        update["store"] = "disk:data/simulated/"
    if shipped_timeouts:
        for name in PER_CHANNEL:
            if name not in origins:
                shipped = {channel: TIMEOUT.read(length) for channel, length in SHIPPED[name].items()}
                update[name + CHANNEL_SUFFIX] = shipped | dict(getattr(settings, name + CHANNEL_SUFFIX))
    return settings.model_copy(update={**update, "origins": origins})


def secret_from(path: Path, setting: str, kind: Kind) -> SecretStr:
    """The secret of this kind that stands in the file which `setting` names."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigurationError(f"{setting} = {path}: the file cannot be read ({reason})") from None
    if not text or not text.isprintable():
        raise ConfigurationError(f"{setting} = {path}: the file must hold the secret in one line")
    try:
        return SecretStr(kind.read(text).get_secret_value())
    except NotAllowedError as error:
        raise ConfigurationError(f"{setting} = {path}: what stands in the file must be {error}") from None


def sentence(error: ValidationError, command_line: CommandLine) -> str:
    """One line for the first mistake: the setting, the value, where it stands, and what is allowed."""
    mistake = error.errors(include_url=False)[0]
    name = str(mistake["loc"][0])
    if name.endswith(CHANNEL_SUFFIX):
        name = f"{name.removesuffix(CHANNEL_SUFFIX)}__{mistake['loc'][1]}"
    if mistake["type"] == "extra_forbidden":
        return f"{name} is not a setting"
    value = MASKED if is_secret(name) else " ".join(str(mistake["input"]).split())[:100]
    allowed = str(mistake["msg"]).removeprefix("Value error, ")
    return f"{name.upper()} = {value} ({origin_of(name, command_line)}): allowed is {allowed}"


def is_secret(name: str) -> bool:
    """Whether a setting's value is never shown."""
    return name in NAMES and kind_of(name) in (SECRET, KEY, WEB_HOOK)


def origin_of(name: str, command_line: CommandLine) -> str:
    """Where a value that was refused stands."""
    variables = Variables(Settings)
    chosen = {**variables(), **command_line()}.get("environment")
    file = SettingsFile(Settings)
    file.read(chosen)
    return {**file.origins, **variables.origins, **command_line.origins}.get(name, "default")


class InForce(NamedTuple):
    """A setting as it holds, as people write it; secrets masked."""

    name: str
    value: str
    origin: str
    help: str


def in_force(settings: Settings) -> list[InForce]:
    """All settings in order, each with its channels' own values below it."""
    found = []
    for row in table():
        name = row.name.lower()
        origin = settings.origins.get(name, "default")
        found.append(InForce(row.name, show(name, getattr(settings, name)), origin, row.help))
        for channel, length in sorted(getattr(settings, name + CHANNEL_SUFFIX, {}).items()):
            origin = settings.origins.get(f"{name}__{channel}", "default")
            found.append(
                InForce(f"{row.name}__{channel.upper()}", show(name, length), origin, f"The same for {channel}.")
            )
    return found
