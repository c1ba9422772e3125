"""The simulated platform over TLS and IPv6."""

import json
import ssl
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme
import websocket

from journeymap.errors import ConfigurationError
from journeymap.simulator.server import SimulatedPlatform
from journeymap.simulator.tls import VERSIONS, Tls
from tests.platform_client import LIMIT, Client, eventually, frames, made_event

ROOT = Path(__file__).parents[2]


class Certified:
    """An authority and a certificate of this machine by it, as files."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1", "::1")
        self.authority, self.cert, self.key = folder / "authority.pem", folder / "cert.pem", folder / "key.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        certificate.private_key_pem.write_to_path(str(self.key))
        for blob in certificate.cert_chain_pems:
            blob.write_to_path(str(self.cert), append=True)

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certified]:
    return Certified(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_everything_goes_over_tls(certified: Certified, host: str) -> None:
    with (
        SimulatedPlatform(host=host, tls=Tls(certified.cert, certified.key)) as platform,
        Client(platform, certified.trusting()) as client,
    ):
        assert platform.api_url.startswith("https://")
        assert platform.stream_url.startswith("wss://")
        metadata = client.http.get("/.well-known/oauth-authorization-server").json()
        assert metadata["token_endpoint"] == platform.login_url + "/oauth/token"
        stream = client.open()
        platform.wait_for_subscriptions()
        platform.send_events(made_event(1))
        assert frames(stream, lambda got: True)[0]["eventId"] == "made-1"
        platform.act("drop")
        with pytest.raises((ConnectionResetError, websocket.WebSocketConnectionClosedException)):
            frames(stream, lambda got: False)
        half_open = client.open()
        platform.act("half_open")
        half_open.settimeout(0.3)
        half_open.ping()
        with pytest.raises(websocket.WebSocketTimeoutException):
            frames(half_open, lambda got: False)
        half_open.shutdown()
        eventually(lambda: platform.stats()["connections"] == 0)


def test_ipv6_without_tls() -> None:
    with SimulatedPlatform(host="::1") as platform, Client(platform) as client:
        assert platform.api_url.startswith("http://[::1]:")
        client.open()


def version_spoken(platform: SimulatedPlatform, lowest: str, highest: str) -> str | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = VERSIONS[lowest], VERSIONS[highest]
    with httpx.Client(verify=context, timeout=LIMIT) as client:
        with client.stream("GET", platform.api_url + "/stats") as answer:
            spoken: str | None = answer.extensions["network_stream"].get_extra_info("ssl_object").version()
            return spoken


@pytest.mark.parametrize(
    ("lowest", "highest", "spoken"), [("1.0", "1.1", "TLSv1.1"), ("1.2", "1.2", "TLSv1.2"), ("1.2", "1.3", "TLSv1.3")]
)
def test_the_versions_are_those_asked_for(certified: Certified, lowest: str, highest: str, spoken: str) -> None:
    with SimulatedPlatform(tls=Tls(certified.cert, certified.key, lowest, highest)) as platform:
        assert version_spoken(platform, "1.0", "1.3") == spoken
        other = ("1.0", "1.1") if lowest == "1.2" else ("1.2", "1.3")
        with pytest.raises(httpx.ConnectError):
            version_spoken(platform, *other)


def test_a_certificate_that_cannot_be_used_is_named(certified: Certified, tmp_path: Path) -> None:
    for tls in (Tls(tmp_path / "none.pem"), Tls(certified.authority), Tls(certified.cert, certified.cert)):
        with pytest.raises(ConfigurationError, match=str(tls.cert)):
            tls.context()
    with pytest.raises(ConfigurationError, match=r"--tls-lowest is 1\.3"):
        Tls(certified.cert, certified.key, "1.3", "1.2").context()


def test_the_command_speaks_tls(certified: Certified) -> None:
    command = [sys.executable, "-m", "journeymap", "simulate", "--port", "0", "--json", "--exit-with-parent"]
    command += ["--tls-cert", str(certified.cert), "--tls-key", str(certified.key), "--host", "::1"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["api_url"].startswith("https://[::1]:")
        with httpx.Client(verify=certified.trusting(), timeout=LIMIT) as client:
            assert client.get(ready["api_url"] + "/stats").status_code == 200
        process.stdin.close()
        assert process.wait(LIMIT) == 0
