"""What the Event Streams source has to know to reach the platform."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from journeymap.errors import ConfigurationError
from journeymap.model.event import STREAM_TYPES
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.limits import Limits
from journeymap.source.proxy import proxy_for
from journeymap.source.transport import check_url


@dataclass(frozen=True, slots=True)
class EventStreamsConfig:
    """How to reach the platform. Printing it does not show the secret. Times in milliseconds."""

    login_url: str
    api_url: str
    stream_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ("eventstream.read", "interaction.read")
    max_events_per_second: int = 50
    event_types: tuple[str, ...] = STREAM_TYPES
    token_in_query: bool = False
    request_timeout: Millis = 10 * SECOND
    limits: Limits = field(default_factory=Limits)

    def checked(self) -> EventStreamsConfig:
        """The same with tidy URLs. Raises `ConfigurationError`, with the setting's name, where it cannot work."""
        for setting, value in (("CLIENT_ID", self.client_id), ("CLIENT_SECRET", self.client_secret)):
            if not value:
                raise ConfigurationError(f"{setting} is empty; the platform's client credentials are needed")
        if self.max_events_per_second < 1:
            raise ConfigurationError(f"MAX_EVENTS_PER_SECOND is {self.max_events_per_second}; allowed is 1 and more")
        checked = replace(
            self,
            login_url=check_url("LOGIN_URL", self.login_url, "https"),
            api_url=check_url("API_URL", self.api_url, "https"),
            stream_url=check_url("STREAM_URL", self.stream_url, "wss"),
        )
        for url in (checked.login_url, checked.api_url, checked.stream_url):
            proxy_for(url)
        return checked
