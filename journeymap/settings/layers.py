"""The places that settings come from, under the command line: environment variables, then journeymap.toml.

Each place answers with the values that it holds and, under `origins`, where exactly each one stands. Pydantic merges
the answers, the stronger place winning name by name, and so the origins come out right as well.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from journeymap.errors import ConfigurationError

PREFIX: Final = "JOURNEYMAP_"
FILE: Final = Path("journeymap.toml")
"""Looked for in the working directory."""

CHANNEL_SUFFIX: Final = "_by_channel"

OPTIONS: Final = {
    "source": "--source",
    "speed": "--speed",
    "store": "--store",
    "host": "--host",
    "port": "--port",
    "ingest_port": "--ingest-port",
    "environment": "--environment",
    "log_level": "--log-level",
    "log_format": "--log-format",
    "simulator_rate": "--rate",
    "simulator_seed": "--seed",
    "simulator_history": "--history",
    "simulator_faults": "--simulator-faults",
}
"""Settings with an option of their own; `--set NAME=VALUE` gives any of them."""


class Layer(PydanticBaseSettingsSource):
    """One place that settings come from."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        fields = settings_cls.model_fields
        self.per_channel = {name.removesuffix(CHANNEL_SUFFIX) for name in fields if name.endswith(CHANNEL_SUFFIX)}
        self.known = [name for name in fields if name != "origins" and not name.endswith(CHANNEL_SUFFIX)]
        self.found: dict[str, Any] = {}
        self.origins: dict[str, str] = {}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """What this place holds for one field."""
        return self.found.get(field_name), field_name, False

    def keep(self, name: str, value: Any, origin: str) -> bool:
        """Take a value under its name, or under `name__channel`; false if there is no such setting."""
        setting, _, channel = name.partition("__")
        if channel and setting in self.per_channel:
            self.found.setdefault(setting + CHANNEL_SUFFIX, {})[channel.lower()] = value
            self.origins[f"{setting}__{channel.lower()}"] = origin
        elif not channel and name in self.known:
            self.found[name] = value
            self.origins[name] = origin
        else:
            return False
        return True

    def answer(self) -> dict[str, Any]:
        """All that was found."""
        return {**self.found, "origins": self.origins} if self.found else {}


class CommandLine(Layer):
    """Settings given by a command: by the attribute's name, or `name__channel`."""

    def __call__(self) -> dict[str, Any]:
        """All settings that were taken."""
        return self.answer()

    def take(self, given: Mapping[str, Any]) -> None:
        """Take what was given, None meaning that it was not; ConfigurationError for a name that is no setting."""
        for name, value in given.items():
            if value is None:
                continue
            if not self.keep(name, value, f"command line, {option_of(name)}"):
                raise ConfigurationError(f"{name.upper()} is not a setting{nearest(name, self.known)}")


class Variables(Layer):
    """Environment variables `JOURNEYMAP_<NAME>`. An empty one counts as not set."""

    def __call__(self) -> dict[str, Any]:
        """All settings that stand in the environment; ConfigurationError for a name that is none."""
        for variable, value in os.environ.items():
            if not variable.startswith(PREFIX):
                continue
            name = variable.removeprefix(PREFIX)
            place = self if value.strip() else Variables(self.settings_cls)
            if not place.keep(name.lower(), value, f"environment variable {variable}"):
                names = [known.upper() for known in self.known]
                raise ConfigurationError(f"{variable} is not a setting{nearest(name, names, PREFIX)}")
        return self.answer()


class SettingsFile(Layer):
    """journeymap.toml: keys at its top, and above them those of the chosen `[environments.<name>]` table."""

    def __call__(self) -> dict[str, Any]:
        """All settings that stand in the file, for the environment that a stronger place has chosen, if any."""
        return self.read(self.current_state.get("environment"))

    def read(self, environment: Any) -> dict[str, Any]:
        """All settings that stand in the file; ConfigurationError for a key that is none or a file that is not TOML."""
        content = read_file()
        environments = content.pop("environments", {})
        if not isinstance(environments, dict) or not all(isinstance(table, dict) for table in environments.values()):
            raise ConfigurationError(f"{FILE}: environments must be tables, such as [environments.prod]")
        self.take(content, str(FILE))
        chosen = self.found.get("environment") if environment is None else environment
        if chosen is not None and environments and chosen not in environments:
            raise ConfigurationError(
                f"ENVIRONMENT = {chosen}: {FILE} has no table [environments.{chosen}], only {', '.join(environments)}"
            )
        name = "dev" if chosen is None else str(chosen)
        self.take(environments.get(name, {}), f"{FILE} [environments.{name}]")
        for other, keys in environments.items():
            # A mistake in a table that is not in force now would only show on the day it is.
            if other != name:
                SettingsFile(self.settings_cls).take(keys, f"{FILE} [environments.{other}]")
        return self.answer()

    def take(self, keys: dict[str, Any], origin: str) -> None:
        """Take all keys of one table. `[idle_after]` may be a table by channel, with `default` for the others."""
        for key, value in keys.items():
            if isinstance(value, dict) and key in self.per_channel:
                for channel, length in value.items():
                    self.keep(key if channel == "default" else f"{key}__{channel}", length, origin)
            elif not self.keep(key, value, origin):
                raise ConfigurationError(f"{origin}: {key} is not a setting{nearest(key, self.known)}")


def option_of(name: str) -> str:
    """How a setting is given on the command line."""
    return OPTIONS.get(name, f"--set {name.upper()}")


def read_file() -> dict[str, Any]:
    """The content of journeymap.toml; empty if there is none."""
    try:
        return tomllib.loads(FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{FILE} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{FILE} is not TOML: {error}") from error


def nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """`, did you mean …?`, where a known name is near; else where to look."""
    names = {candidate.upper(): candidate for candidate in known}
    match = difflib.get_close_matches(name.upper(), names, n=1, cutoff=0.6)
    return f", did you mean {prefix}{names[match[0]]}?" if match else "; `journeymap config` lists them"
