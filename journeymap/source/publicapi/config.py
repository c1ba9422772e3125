"""What has to be known to reach the platform's public APIs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from journeymap.errors import ConfigurationError
from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.source.proxy import proxy_for
from journeymap.source.transport import check_url


@dataclass(frozen=True, slots=True)
class PublicApiConfig:
    """How to reach the platform. Printing it does not show the secret. Times in milliseconds.

    `stream_url` may be empty where nobody listens to notifications. A request is tried `attempts` times at most, as long
    as the next try comes within `patience`; of a sort that does not pass it is tried once. `lines` is how many requests
    may be under way at a time.
    """

    login_url: str
    api_url: str
    stream_url: str
    client_id: str
    client_secret: str = field(repr=False)
    request_timeout: Millis = 20 * SECOND
    attempts: int = 5
    patience: Millis = 2 * MINUTE
    lines: int = 4

    def checked(self) -> PublicApiConfig:
        """The same with tidy URLs. Raises `ConfigurationError`, with the setting's name, where it cannot work."""
        for setting, value in (("CLIENT_ID", self.client_id), ("CLIENT_SECRET", self.client_secret)):
            if not value:
                raise ConfigurationError(f"{setting} is empty; the platform's client credentials are needed")
        checked = replace(
            self,
            login_url=check_url("LOGIN_URL", self.login_url, "https"),
            api_url=check_url("API_URL", self.api_url, "https"),
            stream_url=check_url("STREAM_URL", self.stream_url, "wss") if self.stream_url else "",
        )
        for url in filter(None, (checked.login_url, checked.api_url, checked.stream_url)):
            proxy_for(url)
        return checked
