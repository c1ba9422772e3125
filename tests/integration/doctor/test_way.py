"""What doctor finds on the way to a platform: names, ports, TLS, proxies."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from journeymap.simulator.server import SimulatedPlatform
from journeymap.simulator.tls import Tls
from tests.doctoring import Doctor
from tests.eventstreams import closed_port
from tests.integration.doctor.waiting import WAIT
from tests.proxies import TunnelProxy

# The way


def test_a_name_that_there_is_not(doctor: Doctor, platform: SimulatedPlatform) -> None:
    doctor.use(platform, login_url="https://login.invalid")
    code, checks = doctor.find()
    assert code == 1
    dns = checks["dns"]
    assert (dns["grade"], dns["about"]) == ("fail", "login.invalid")
    assert dns["found"].startswith(("cannot be resolved: ", "no answer from DNS within "))
    assert "REGION, or the URL that names login.invalid" in dns["remedy"]
    assert checks["token"]["found"] == "needs dns, which failed for login.invalid"


def test_nothing_listens(doctor: Doctor, platform: SimulatedPlatform) -> None:
    nobody = closed_port()
    doctor.use(platform, api_url=f"http://{nobody}")
    code, wrong = doctor.wrong(*WAIT)
    assert (code, wrong) == (
        1,
        {
            "tcp": (
                "fail",
                "127.0.0.1: nothing listens",
                "check host and port in the URL; if they are right, the platform's side is down",
            )
        },
    )
    _, checks = doctor.find(*WAIT)
    assert checks["handshake"]["grade"] == "ok"
    assert checks["subscription"]["found"] == f"needs tcp, which failed for {nobody}"


def test_no_answer_at_all(doctor: Doctor, platform: SimulatedPlatform) -> None:
    # A full backlog: further connects are not answered, as behind a firewall that drops them.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, socket.socket() as taker:
        taker.connect(deaf.getsockname())
        doctor.use(platform, api_url=f"http://127.0.0.1:{deaf.getsockname()[1]}")
        code, wrong = doctor.wrong(*WAIT)
    assert code == 1
    assert wrong["tcp"][1] == "127.0.0.1: no answer within 2 s"
    assert wrong["tcp"][2].startswith("a firewall drops the packets")


def test_no_such_stream(doctor: Doctor, platform: SimulatedPlatform) -> None:
    doctor.use(platform, stream_url=platform.stream_url + "s")
    code, wrong = doctor.wrong(*WAIT)
    assert (code, list(wrong)) == (1, ["handshake"])
    assert wrong["handshake"][2].endswith("if it has it, check the path of STREAM_URL")


def test_ipv6(doctor: Doctor) -> None:
    with SimulatedPlatform(host="::1", heartbeat=0.1) as platform:
        doctor.use(platform)
        code, checks = doctor.find("--only", "first-sign")
    assert code == 0
    assert checks["tcp"]["about"] == f"[::1]:{platform.port}"
    assert checks["tcp"]["found"].startswith("connected to ::1 in ")


def test_a_connection_that_the_platform_ends(doctor: Doctor, platform: SimulatedPlatform) -> None:
    platform.set_faults(silent_subscriptions=True)
    subscribe = platform.platform.subscribe

    def subscribe_and_close(*arguments: Any) -> Any:
        subscription = subscribe(*arguments)
        subscription.connection.close(4000, "one client is enough")
        return subscription

    platform.platform.subscribe = subscribe_and_close  # type: ignore[method-assign]
    doctor.use(platform)
    code, wrong = doctor.wrong("--only", "first-sign", "--timeout", "20s")
    assert (code, wrong["first-sign"][:2]) == (
        1,
        ("fail", "the platform ended the connection (code 4000, one client is enough)"),
    )


# TLS


class Authority:
    """An authority of our own, and what it certifies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self.file = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def certify(self, *names: str, **life: datetime) -> Tls:
        made = self._ca.issue_cert(*names, **life)
        file = self._folder / "server.pem"
        made.private_key_and_cert_chain_pem.write_to_path(file)
        return Tls(file)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


def test_tls_as_it_should_be(doctor: Doctor, authority: Authority) -> None:
    tls = authority.certify("127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=90, hours=1))
    with SimulatedPlatform(heartbeat=0.1, tls=tls) as platform:
        doctor.use(platform)
        code, checks = doctor.find("--skip", "throttle")
    assert {name for name, check in checks.items() if check["grade"] == "fail"} == set()
    assert code == 0
    found = r"TLSv1\.3, TLS_\w+; certificate of trustme v[\d.]+, good until 20\d\d-.* \(90 days\)"
    assert re.fullmatch(found, checks["tls"]["found"]), checks["tls"]["found"]
    assert checks["handshake"]["found"].startswith("wss://127.0.0.1:")


@pytest.mark.parametrize(
    ("names", "days", "found", "remedy"),
    [
        (["127.0.0.1"], (-9, 20.5), r"TLSv1\.3, .* \(20 days\)", "has to renew it before then"),
        (["127.0.0.1"], (-9, -1), "the certificate has expired", "has to renew it; look at this machine's clock first"),
        (["127.0.0.1"], (1, 9), "the certificate is not valid yet", "set this machine's clock"),
        (
            ["a.example", "10.0.0.1"],
            (-9, 90),
            r"the certificate is for another name: it is for a\.example, 10\.0\.0\.1",
            "use the name in the certificate in LOGIN_URL",
        ),
    ],
)
def test_a_certificate_that_is_not_good(
    doctor: Doctor, authority: Authority, names: list[str], days: tuple[float, float], found: str, remedy: str
) -> None:
    begin, end = (datetime.now(UTC) + timedelta(days=each) for each in days)
    with SimulatedPlatform(heartbeat=0.1, tls=authority.certify(*names, not_before=begin, not_after=end)) as platform:
        doctor.use(platform)
        code, wrong = doctor.wrong("--only", "metadata")
    grade, says, does = wrong.pop("tls")
    assert wrong == {}
    assert re.fullmatch(found, says), says
    assert remedy in does
    assert (grade, code) == (("warn", 0) if "days" in found else ("fail", 1))


def test_an_authority_that_nobody_knows(
    doctor: Doctor, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path / "other").file))
    with SimulatedPlatform(tls=authority.certify("127.0.0.1")) as platform:
        doctor.use(platform)
        code, checks = doctor.find()
    assert code == 1
    assert re.fullmatch(
        r"the certificate is not trusted: (unable to get local issuer certificate|self.signed certificate in certificate chain)"
        r" \(issued by trustme v[\d.]+\)",
        checks["tls"]["found"],
    ), checks["tls"]["found"]
    assert "SSL_CERT_FILE" in checks["tls"]["remedy"]
    assert checks["token"]["found"].startswith("needs tls, which failed for 127.0.0.1:")


def test_versions_of_tls_that_nobody_should_speak(doctor: Doctor, authority: Authority) -> None:
    tls = authority.certify("127.0.0.1")._replace(lowest="1.0", highest="1.1")
    with SimulatedPlatform(tls=tls) as platform:
        doctor.use(platform)
        _, wrong = doctor.wrong("--only", "tls")
    assert wrong["tls"][:2] == ("fail", "nothing newer than TLSv1.1 is spoken there")


def test_no_tls_where_it_is_asked_for(doctor: Doctor, platform: SimulatedPlatform) -> None:
    doctor.use(platform, login_url=platform.login_url.replace("http:", "https:"))
    _, wrong = doctor.wrong("--only", "tls")
    assert wrong["tls"][0] == "fail"
    assert wrong["tls"][1].startswith("no TLS is spoken at port ")
    assert wrong["tls"][2] == "check the port in LOGIN_URL"


def test_a_web_hook_and_its_address_that_is_never_said(doctor: Doctor, authority: Authority) -> None:
    with SimulatedPlatform(tls=authority.certify("localhost")) as platform:
        doctor.set(alert_url=f"https://localhost:{platform.port}/hooks/hunter2")
        code, checks = doctor.find("--only", "alert-url")
        assert (code, checks["alert-url"]["grade"]) == (0, "ok")
        doctor.set(alert_url=f"https://127.0.0.1:{platform.port}/hooks/hunter2")
        code, wrong = doctor.wrong("--only", "alert-url")
        assert (code, wrong["alert-url"]) == (
            0,
            (
                "warn",
                "the certificate is for another name: it is for localhost",
                "use the name in the certificate in ALERT_URL",
            ),
        )
    doctor.set(alert_url=f"http://{closed_port()}/hooks/hunter2")
    code, said = doctor.say("--only", "alert-url")
    assert code == 0
    assert "  warn  alert-url     nothing listens at the web hook\n        → check ALERT_URL, and" in said
    assert "hunter2" not in said
    assert "127.0.0.1" not in said


# Proxies


def test_through_a_proxy(doctor: Doctor, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    with SimulatedPlatform(heartbeat=0.1, tls=authority.certify("platform.example")) as platform:
        with TunnelProxy(("127.0.0.1", platform.port)) as proxy:
            monkeypatch.setenv("https_proxy", f"http://me:hunter2@{proxy.address}")
            monkeypatch.setenv("no_proxy", "elsewhere.example")
            url = "https://platform.example"
            doctor.use(platform, login_url=url, api_url=url, stream_url="wss://platform.example/stream")
            code, said = doctor.say("--json", "--skip", "throttle")
            assert "hunter2" not in said
            assert code == 0
            _, checks = doctor.find("--skip", "throttle")
    assert checks["proxy"]["found"] == ", ".join(
        f"{setting} through {proxy.address} (https_proxy)" for setting in ("LOGIN_URL", "API_URL", "STREAM_URL")
    )
    assert checks["tcp"]["about"] == proxy.address
    assert checks["tls"]["about"] == "platform.example:443"
    assert checks["first-sign"]["grade"] == "ok"


def test_a_proxy_that_does_not_let_us_through(
    doctor: Doctor, platform: SimulatedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TunnelProxy(("127.0.0.1", platform.port), "403 Forbidden") as proxy:
        monkeypatch.setenv("https_proxy", proxy.address)
        doctor.use(platform, login_url="https://platform.example")
        code, wrong = doctor.wrong("--only", "token")
    assert (code, list(wrong)) == (1, ["tls"])
    assert wrong["tls"][1] == f"the proxy {proxy.address} does not let us through to platform.example (status 403)"


def test_a_proxy_that_cannot_be_used(
    doctor: Doctor, platform: SimulatedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", "socks5://p:1080")
    doctor.use(platform, login_url="https://platform.example")
    code, wrong = doctor.wrong()
    assert (code, wrong) == (
        1,
        {
            "proxy": (
                "fail",
                "the environment's all_proxy is no usable proxy",
                "allowed is http://HOST:PORT",
            )
        },
    )
