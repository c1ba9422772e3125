"""The line to the platform: every way in which it can fail has its own message with its remedy, for each of the three
conversations; and what it can go over: TLS versions, IPv6, a proxy."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from journeymap.simulator.server import SimulatedPlatform
from journeymap.simulator.tls import Tls
from journeymap.source.base import ConnectionState
from tests.eventstreams import Misbehaving, closed_port, say_nothing, source_for
from tests.proxies import TunnelProxy
from tests.running import Running

HOST = "platform.example"
"""Cannot be resolved, so whatever reaches it went through the proxy."""

LOOPBACK = "127.1"
"""Leads to this machine, but is not known by its look: so a proxy is asked for it."""

CONVERSATIONS = ["login", "api", "stream"]

Place = Callable[[contextlib.ExitStack, "Here"], str]
"""Makes something to connect to; its host and port."""


class Here:
    """What a place may need."""

    def __init__(self, directory: Path, environment: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self.environment = environment
        self.authority = trustme.CA()
        self.proxy = ""

    def certificate(self, *names: str, **dates: dt.datetime) -> Path:
        """A certificate and its key; the last names it is for, 127.0.0.1 if none is given."""
        path = self.directory / "server.pem"
        self.authority.issue_cert(*(names or ("127.0.0.1",)), **dates).private_key_and_cert_chain_pem.write_to_path(
            path
        )
        return path

    def trust(self) -> None:
        """Let certificates of this authority be accepted."""
        self.authority.cert_pem.write_to_path(self.directory / "ca.pem")
        self.environment.setenv("SSL_CERT_FILE", str(self.directory / "ca.pem"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(variable)
    return Here(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def good() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform() as running:
        yield running


def behind_tls(closing: contextlib.ExitStack, tls: Tls) -> str:
    platform = closing.enter_context(SimulatedPlatform(tls=tls))
    return urlsplit(platform.api_url).netloc


def unresolvable(_closing: contextlib.ExitStack, _here: Here) -> str:
    return "nowhere.invalid"


def refusing(_closing: contextlib.ExitStack, _here: Here) -> str:
    return closed_port()


def swallowing(closing: contextlib.ExitStack, _here: Here) -> str:
    """A listener whose queue is full: the kernel answers no further connection."""
    listener = closing.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(20):
        waiting = closing.enter_context(socket.socket())
        waiting.settimeout(0.2)
        try:
            waiting.connect(listener.getsockname())
        except TimeoutError:
            return f"127.0.0.1:{listener.getsockname()[1]}"
    raise AssertionError("the queue does not fill up")


def mute(closing: contextlib.ExitStack, _here: Here) -> str:
    return closing.enter_context(Misbehaving(say_nothing)).address


def hanging_up(closing: contextlib.ExitStack, _here: Here) -> str:
    return closing.enter_context(Misbehaving(lambda connected, _: connected.close())).address


def plain(closing: contextlib.ExitStack, _here: Here) -> str:
    return urlsplit(closing.enter_context(SimulatedPlatform()).api_url).netloc


def outdated(closing: contextlib.ExitStack, here: Here) -> str:
    here.trust()
    context = Tls(here.certificate(), lowest="1.0", highest="1.1").context()

    def shake_hands(connected: socket.socket, hello: bytes) -> None:
        # On a socket of its own the server's last word, why it does not go on, reaches the client for certain.
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming.write(hello)
        with contextlib.suppress(ssl.SSLError):
            context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
        connected.sendall(outgoing.read())

    return closing.enter_context(Misbehaving(shake_hands)).address


def untrusted(closing: contextlib.ExitStack, here: Here) -> str:
    return behind_tls(closing, Tls(here.certificate()))


def expired(closing: contextlib.ExitStack, here: Here) -> str:
    here.trust()
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    return behind_tls(closing, Tls(here.certificate(not_before=past - dt.timedelta(days=9), not_after=past)))


def early(closing: contextlib.ExitStack, here: Here) -> str:
    here.trust()
    future = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    return behind_tls(closing, Tls(here.certificate(not_before=future, not_after=future + dt.timedelta(days=9))))


def misnamed(closing: contextlib.ExitStack, here: Here) -> str:
    here.trust()
    return behind_tls(closing, Tls(here.certificate("elsewhere.example")))


def behind(status: str) -> Place:
    def place(closing: contextlib.ExitStack, here: Here) -> str:
        proxy = closing.enter_context(TunnelProxy(("127.0.0.1", 1), status))
        here.proxy = proxy.address
        here.environment.setenv("https_proxy", f"http://me:hunter2@{proxy.address}")
        return HOST

    return place


def behind_no_proxy(_closing: contextlib.ExitStack, here: Here) -> str:
    here.proxy = closed_port()
    here.environment.setenv("https_proxy", here.proxy)
    return HOST


def behind_an_unresolvable_proxy(_closing: contextlib.ExitStack, here: Here) -> str:
    here.proxy = "nowhere.invalid:3128"
    here.environment.setenv("all_proxy", here.proxy)
    return HOST


CERTIFICATE = "the certificate of {where} is not accepted: "
NO_PROXY = (
    "nothing listens at the proxy {proxy}; check the environment's https_proxy, and whether a firewall turns connections "
    "away"
)
LET_THROUGH = "the proxy {proxy} does not let us through to {where} "


@pytest.mark.parametrize("conversation", CONVERSATIONS)
@pytest.mark.parametrize(
    ("place", "message"),
    [
        (unresolvable, "the name of {where} cannot be resolved; check REGION or {setting} and this machine's DNS"),
        (
            refusing,
            "nothing listens at {where}; check REGION or {setting}, and whether a firewall turns connections away",
        ),
        (
            swallowing,
            "no connection to {where} in time; a firewall may swallow it, or a proxy be needed (https_proxy)",
        ),
        (mute, "no answer from {where} in time; if it stays so, ask the platform's operators"),
        (hanging_up, "broke the connection off; "),
        (
            plain,
            "TLS with {where} failed: what listens there does not speak TLS; check REGION or {setting} and the port in it",
        ),
        (
            outdated,
            "TLS with {where} failed: it offers no version from 1.2 on; its operators must bring it up to date",
        ),
        (
            untrusted,
            CERTIFICATE + "this machine does not trust who issued it; name a file with the issuer's certificate in "
            "SSL_CERT_FILE (a proxy that looks into TLS has an issuer of its own)",
        ),
        (expired, CERTIFICATE + "it has expired; it must be renewed, if the clock here is right"),
        (early, CERTIFICATE + "it is not valid yet; check the clock of this machine"),
        (misnamed, CERTIFICATE + "it is for another host name; check REGION or {setting}"),
        (
            behind("407 Proxy Authentication Required"),
            LET_THROUGH + "(status 407); it wants a user name and a password, as "
            "https_proxy=http://USER:PASSWORD@{proxy}",
        ),
        (
            behind("403 Forbidden"),
            LET_THROUGH
            + "(status 403); have {where} allowed there, or name it in no_proxy if it can be reached without",
        ),
        (behind("502 Bad Gateway"), LET_THROUGH + "(status 502); see what the proxy's log says to that"),
        (
            behind_no_proxy,
            NO_PROXY,
        ),
        (
            behind_an_unresolvable_proxy,
            "the name of the proxy {proxy} cannot be resolved; check the environment's all_proxy and this machine's DNS",
        ),
    ],
    ids=[
        *("unresolvable", "refusing", "swallowing", "mute", "hanging-up", "plain", "outdated", "untrusted", "expired"),
        *("early", "misnamed", "proxy-407", "proxy-403", "proxy-502", "no-proxy", "lost-proxy"),
    ],
)
def test_each_failure_has_its_own_message(
    good: SimulatedPlatform, here: Here, conversation: str, place: Place, message: str
) -> None:
    with contextlib.ExitStack() as closing:
        where = place(closing, here)
        url = f"{'wss' if conversation == 'stream' else 'https'}://{where}"
        source = source_for(good, **{f"{conversation}_url": url}, request_timeout=500)
        with Running(source) as running:
            status = running.wait(lambda status: status.next_attempt_at is not None, 20)
        expected = message.format(where=where, setting=f"{conversation.upper()}_URL", proxy=here.proxy)
        assert status.error is not None
        assert expected in status.error
        assert status.error.removesuffix(expected) in ("", "no subscription: ") or place is hanging_up
        assert not status.refused
        for secret in (good.client_secret, "hunter2", *good.platform.tokens):
            assert secret not in status.error


def open_over(platform: SimulatedPlatform, netloc: str | None = None) -> None:
    """Reads a frame from this platform, at its own addresses or at this host and port."""
    urls = {}
    if netloc is not None:
        urls = {
            f"{conversation}_url": urlsplit(getattr(platform, f"{conversation}_url"))._replace(netloc=netloc).geturl()
            for conversation in CONVERSATIONS
        }
    with Running(source_for(platform, **urls)) as running:
        running.wait(lambda status: status.state is ConnectionState.OPEN, 20)
        platform.wait_for_subscriptions()
        platform.send(b'{"over":"the line"}')
        assert running.wait_for_frames(1, 20) == [b'{"over":"the line"}']


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_over_tls(here: Here, version: str) -> None:
    here.trust()
    with SimulatedPlatform(tls=Tls(here.certificate(), lowest=version, highest=version)) as platform:
        open_over(platform)


@pytest.mark.parametrize("secure", [False, True])
def test_over_ipv6(here: Here, secure: bool) -> None:
    here.trust()
    with SimulatedPlatform(host="::1", tls=Tls(here.certificate("::1")) if secure else None) as platform:
        assert urlsplit(platform.stream_url).hostname == "::1"
        open_over(platform)


def test_through_a_proxy(here: Here) -> None:
    here.trust()
    with SimulatedPlatform(tls=Tls(here.certificate(HOST))) as platform:
        with TunnelProxy(("127.0.0.1", platform.port)) as proxy:
            here.environment.setenv("https_proxy", f"http://{proxy.address}")
            open_over(platform, f"{HOST}:{platform.port}")
        asked = [request.split()[:2] for request in proxy.asked]
        assert len(asked) >= 3
        assert all(request == ["CONNECT", f"{HOST}:{platform.port}"] for request in asked)


@pytest.mark.parametrize("excepted", [LOOPBACK, "*", f"somewhere.example,{LOOPBACK}"])
def test_past_a_proxy_for_hosts_that_need_none(here: Here, excepted: str) -> None:
    here.trust()
    here.environment.setenv("https_proxy", closed_port())
    here.environment.setenv("no_proxy", excepted)
    with SimulatedPlatform(tls=Tls(here.certificate(LOOPBACK))) as platform:
        open_over(platform, f"{LOOPBACK}:{platform.port}")
