"""The table of settings: name, kind, default and help of each one. docs/settings.md is tested against it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from journeymap.errors import ConfigurationError
from journeymap.settings import values
from journeymap.settings.layers import SettingsFile, Variables
from journeymap.settings.values import Kind

SHIPPED_IDLE_AFTER: Final = {"voice": "20m", "chat": "5m", "email": "4h", "message": "30m", "callback": "1h"}
SHIPPED_CLOSE_AFTER: Final = {"voice": "2h", "chat": "30m", "email": "24h", "message": "8h", "callback": "4h"}
"""Per-channel time-outs of the live product. A stream of the five event types is silent during a call, and an e-mail
may wait for hours. `stitch` goes without them; a general value that someone sets replaces them."""

TIMEOUT: Final = values.length("1s", "365d")
ADDRESS: Final = values.ADDRESS

_PLATFORM: Final = ("client_id", "client_secret", "login_url", "api_url", "stream_url")
NEEDS: Final = {"eventstreams": _PLATFORM, "notifications": _PLATFORM}
"""The settings without which a source cannot connect; of `eventbridge` see `Settings.missing`."""

INSTEAD: Final = {
    "client_secret": " (or CLIENT_SECRET_FILE)",
    "eventbridge_key": " (nor EVENTBRIDGE_KEY_FILE or EVENTBRIDGE_QUEUE_URL)",
}
"""What may be set in place of a setting, in words."""


def setting(default: Any, text: str) -> Any:
    """A row of the table; a default of None says that there is none."""
    return Field(default, description=text, validate_default=default is not None)


class Settings(BaseSettings):
    """All settings, read once and frozen. Times are in milliseconds, sizes in bytes.

    Defaults are written as people write them. `origins` says where each value came from; what is not in it is the
    default. Addresses, the store and the secret are filled in by `load` from the settings they follow from.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    source: Annotated[str, values.SOURCE] = setting(
        "simulator",
        "Where events come from: `simulator`, `eventstreams`, `notifications`, `eventbridge`, `file:PATH`; several with commas.",
    )
    speed: Annotated[float, values.number(0, 1_000_000, " (0: as fast as it goes)")] = setting(
        1.0,
        "How fast a file is replayed: 1 as it was recorded, 10 ten times as fast, 0 as fast as it goes.",
    )
    client_id: Annotated[str | None, values.TEXT] = setting(
        None, "Client id of the platform's OAuth client (client credentials grant)."
    )
    client_secret: Annotated[SecretStr | None, values.SECRET] = setting(
        None, "Its secret. Never shown, logged or stored."
    )
    client_secret_file: Annotated[Path | None, values.PATH] = setting(
        None, "A file that holds the secret, instead of `CLIENT_SECRET`."
    )
    region: Annotated[str | None, values.REGION] = setting(
        None, "Region of the platform (`us_east_1`, …) or its domain; gives the three addresses below."
    )
    login_url: Annotated[str | None, ADDRESS] = setting(None, "Where tokens are asked for; from `REGION` unless set.")
    api_url: Annotated[str | None, ADDRESS] = setting(None, "Where the platform's APIs are; from `REGION` unless set.")
    stream_url: Annotated[str | None, values.address("wss", "ws")] = setting(
        None, "Where events are read, and the host of the Notification Service's sockets; from `REGION` unless set."
    )
    max_events_per_second: Annotated[int, values.whole(1, 10_000)] = setting(
        50, "What a subscription asks the platform for at most, per second."
    )
    backfill: Annotated[str, values.choice("auto", "off")] = setting(
        "auto",
        "What was missed is fetched from the platform's records by itself (`auto`) or not (`off`). Sources of the public platform"
        " only.",
    )
    backfill_reach: Annotated[int, values.length("0s", "365d")] = setting(
        "24h", "How far back the very first start fetches what was before it; `0s` not at all."
    )
    eventbridge_key: Annotated[SecretStr | None, values.KEY] = setting(
        None, "Key that posts to `/ingest/v1/eventbridge` must bring; with it, posts are taken. Never shown or logged."
    )
    eventbridge_key_file: Annotated[Path | None, values.PATH] = setting(
        None, "A file that holds the key, instead of `EVENTBRIDGE_KEY`."
    )
    eventbridge_max_posts_per_second: Annotated[int, values.whole(1, 10_000)] = setting(
        1_000, "More posts a second than this are answered 429; they come again."
    )
    eventbridge_queue_url: Annotated[str | None, values.QUEUE] = setting(
        None, "URL of an SQS queue to read; instead of posts, or beside them."
    )
    eventbridge_endpoint_url: Annotated[str | None, ADDRESS] = setting(
        None, "Where SQS is asked, for a VPC endpoint or an emulator; the host of the queue's URL unless set."
    )
    reorder_window_ms: Annotated[int, values.length("0ms", "60s", bare="ms")] = setting(
        "100ms", "How long an event is held after arrival so that events leave in order."
    )
    flush_interval_ms: Annotated[int, values.length("10ms", "10s", bare="ms")] = setting(
        "100ms", "How often changes are written to the store."
    )
    flush_max_events: Annotated[int, values.whole(1, 1_000_000)] = setting(
        5_000, "So many waiting frames, mostly one event each, are written without waiting for `FLUSH_INTERVAL_MS`."
    )
    idle_after: Annotated[int, TIMEOUT] = setting(
        "5m", "Quiet time after which an interaction reads IDLE. Per channel: `IDLE_AFTER__EMAIL=4h`."
    )
    close_after: Annotated[int, TIMEOUT] = setting(
        "30m",
        "Quiet time after which an interaction reads CLOSED, and how long a transfer awaits its target."
        " Per channel: `CLOSE_AFTER__EMAIL=24h`.",
    )
    engagement_window: Annotated[int, values.length("1s", "365d")] = setting(
        "24h", "How far apart a customer's interactions may lie and still be one journey."
    )
    retention: Annotated[int, values.length("1m", "3650d")] = setting(
        "30d", "How long a closed journey is kept after its last event."
    )
    identity_rules: Annotated[tuple[str, ...], values.RULES] = setting(
        "contact, phone, email, messaging, visitor",
        "By what customers are known, the strongest first; one that is left out is off, `none` is without any (identity.md).",
    )
    identity_key_limit: Annotated[int, values.whole(1, 100)] = setting(
        1, "A number, address or id that more customers than this use joins nobody."
    )
    identity_ignore: Annotated[tuple[str, ...] | None, values.KEYS] = setting(
        None, "Numbers, addresses and ids that join nobody, such as your own: `+15555550100, *@example.com`."
    )
    time_zone: Annotated[str | None, values.ZONE] = setting(
        None, "Time zone of the page and of exports; the browser's unless set."
    )
    max_journeys: Annotated[int, values.whole(1, 100_000_000)] = setting(
        1_000_000, "Above it, closed journeys that were least recently active go early."
    )
    store: Annotated[str, values.STORE] = setting(
        "disk:data/",
        "Where journeys are kept: `disk:PATH`. For the simulator the default is `disk:data/simulated/`.",
    )
    host: Annotated[str, values.HOST] = setting("127.0.0.1", "Address that the page is served on; loopback only.")
    port: Annotated[int, values.whole(0, 65_535)] = setting(8050, "Port of the page; 0 takes a free one.")
    ingest_port: Annotated[int, values.whole(0, 65_535)] = setting(
        8051, "Port of health and metrics of `ingest`; 0 takes a free one."
    )
    environment: Annotated[str, values.NAME] = setting(
        "dev", "Which `[environments.<name>]` table of journeymap.toml holds (dev, uat, prod, …)."
    )
    auth: Annotated[str, values.choice("none")] = setting(
        "none", "Who may look: `none` is everyone on this machine, and so allows loopback only."
    )
    journal_max_bytes: Annotated[int, values.SIZE] = setting(
        "1GiB", "How large the journal of received events may grow before its oldest parts go."
    )
    journal_max_age: Annotated[int, values.length("1m", "3650d")] = setting(
        "7d", "How long the journal keeps events that are in the store."
    )
    fsync_interval: Annotated[int, values.length("10ms", "1h")] = setting(
        "1s",
        "How often the journal is made safe from a power failure; a crash of the process loses nothing in any case.",
    )
    disk_reserve: Annotated[int, values.SIZE] = setting(
        "256MiB", "With less free disk than this, events are no longer read, before any could be lost."
    )
    alert_url: Annotated[SecretStr | None, values.WEB_HOOK] = setting(
        None, "Web hook that is told of hard errors. Shown masked, since such addresses often hold a key."
    )
    simulator_rate: Annotated[float, values.number(1, 5_000)] = setting(
        5.0, "Events a second of the simulated platform, on average."
    )
    simulator_seed: Annotated[int, values.whole(0, 2**63 - 1)] = setting(
        1, "Which story the simulated platform tells; the same seed, the same story."
    )
    simulator_history: Annotated[int, values.length("0s", "30d")] = setting(
        "30m", "How much simulated history is shown at the start."
    )
    simulator_faults: Annotated[str | None, values.TEXT] = setting(
        None, "What is wrong with the simulated platform, `NAME=VALUE` as in simulator.md; several with commas."
    )
    log_level: Annotated[str, values.choice("debug", "info", "warning", "error")] = setting(
        "info", "The least urgent messages that are logged: `debug`, `info`, `warning` or `error`."
    )
    log_format: Annotated[str, values.choice("text", "json")] = setting(
        "text", "`text` for people, `json` for machines."
    )

    idle_after_by_channel: Mapping[str, Annotated[int, TIMEOUT]] = Field({}, exclude=True)
    close_after_by_channel: Mapping[str, Annotated[int, TIMEOUT]] = Field({}, exclude=True)
    origins: Mapping[str, str] = Field({}, exclude=True, repr=False)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line beats environment beats file; pydantic merges them in this order."""
        return init_settings, Variables(settings_cls), SettingsFile(settings_cls)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that `source` names."""
        return tuple(self.source.split(","))

    @property
    def store_path(self) -> Path:
        """The directory of a `disk:` store."""
        return Path(self.store.removeprefix("disk:"))

    def missing(self) -> list[str]:
        """Names of the settings that the sources need and that are not set."""
        return [name for source in self.sources for name in self._missing_for(source)]

    def _missing_for(self, source: str) -> list[str]:
        if source == "eventbridge":
            either = self.eventbridge_key or self.eventbridge_queue_url
            return [] if either else ["eventbridge_key"]
        return [name for name in NEEDS.get(source, ()) if getattr(self, name) is None]

    def require_credentials(self) -> None:
        """Refuse to start a source while settings that it needs are missing."""
        for source in self.sources:
            for name in self._missing_for(source):
                instead = INSTEAD.get(name, " (or REGION)" if name.endswith("_url") else "")
                raise ConfigurationError(
                    f"{name.upper()} is not set{instead}: the source {source} needs it; set the environment"
                    f" variable JOURNEYMAP_{name.upper()} or {name} in journeymap.toml"
                )


class Row(BaseModel):
    """A setting as the documentation and `journeymap config` show it."""

    name: str
    default: str
    help: str


PER_CHANNEL: Final = ("idle_after", "close_after")
NAMES: Final = tuple(name for name in Settings.model_fields if name != "origins" and not name.endswith("_by_channel"))
"""Attribute names of all settings, in the order of the table. The setting's name is the same in capitals."""


def kind_of(name: str) -> Kind:
    """The kind of a setting."""
    return next(item for item in Settings.model_fields[name].metadata if isinstance(item, Kind))


def show(name: str, value: Any) -> str:
    """A value as people write it; secrets masked; empty if there is none."""
    return "" if value is None else kind_of(name).show(value)


def table() -> list[Row]:
    """All settings with their defaults and help, in order."""
    rows = []
    for name in NAMES:
        field = Settings.model_fields[name]
        default = "" if field.default is None else show(name, kind_of(name).read(field.default))
        rows.append(Row(name=name.upper(), default=default, help=field.description or ""))
    return rows
