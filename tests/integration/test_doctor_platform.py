"""`journeymap doctor` against platforms that are not well: the right check says so, with the right remedy, and no other."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from journeymap.simulator.server import SimulatedPlatform
from journeymap.simulator.tls import Tls
from tests.doctoring import Doctor
from tests.integration.test_eventstreams import closed_port
from tests.proxies import TunnelProxy

WAIT = ("--timeout", "2s", "--skip", "throttle")


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(tmp_path, monkeypatch, capfd)


@pytest.fixture
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(heartbeat=0.1) as running:
        yield running


@pytest.mark.parametrize(
    ("faults", "check", "found", "remedy"),
    [
        ({"clock_skew": 3}, "clock", r"this clock is [23],\d{3} ms behind the platform's \(±\d+ ms\)", "by NTP"),
        ({"clock_skew": -3}, "clock", r"this clock is [23],\d{3} ms ahead of the platform's \(±\d+ ms\)", "by NTP"),
        ({"clock_skew": 90}, "clock", r"this clock is (89|90),\d{3} ms behind the platform's \(±\d+ ms\)", "by NTP"),
        ({"token_life": 60}, "token", "granted, good for 1 min, renewed after 50 s", "tokens of half an hour or more"),
        ({"fail_metadata": "hang"}, "metadata", "no answer from HOST in time", "if it stays so, ask"),
        (
            {"refuse_tokens": "400"},
            "token",
            r"refused with status 400.*: the client is unknown there, or the request not understood",
            "check CLIENT_ID",
        ),
        (
            {"refuse_tokens": "401"},
            "token",
            r"refused with status 401.*: the secret is wrong, or this login server does not know the client",
            "check CLIENT_SECRET",
        ),
        (
            {"refuse_tokens": "403"},
            "token",
            r"refused with status 403.*: the client is known but may not have a token",
            "have the client enabled on the platform",
        ),
        (
            {"fail_tokens": "503"},
            "token",
            "HOST answered the token request with status 503",
            "try again in 1 s, as it asks for",
        ),
        ({"fail_tokens": "garbage"}, "token", "HOST .*", "try again in a while"),
        (
            {"missing_scope": "interaction.read"},
            "scopes",
            r"not granted: interaction\.read; granted: eventstream\.read",
            "add interaction.read to the client on the platform",
        ),
        (
            {"refuse_handshakes": "401"},
            "handshake",
            "refused with status 401: the stream does not take the token that the login server granted",
            "LOGIN_URL and STREAM_URL are of one region",
        ),
        (
            {"refuse_handshakes": "403"},
            "handshake",
            "refused with status 403: this client may not.*",
            "the right to read event streams",
        ),
        (
            {"fail_handshakes": "503"},
            "handshake",
            "refused with status 503; it asks to wait 1 s",
            "too many clients use this account",
        ),
        ({"fail_handshakes": "hang"}, "handshake", "no answer from HOST in time", "if it stays so, ask"),
        (
            {"refuse_subscriptions": "403"},
            "subscription",
            "HOST answered the subscription with status 403.*",
            "the right to make event stream subscriptions",
        ),
        (
            {"refuse_subscriptions": "409"},
            "subscription",
            "HOST answered the subscription with status 409.*",
            "delete subscriptions left over",
        ),
        (
            {"mismatched_subscriptions": "connection"},
            "subscription",
            "SUBSCRIPTION does not match the connection: another connection id",
            "the platform would send the events elsewhere",
        ),
        (
            {"mismatched_subscriptions": "callback"},
            "subscription",
            "SUBSCRIPTION does not match the connection: another callback URL",
            "the platform would send the events elsewhere",
        ),
        (
            {"silent_subscriptions": True},
            "first-sign",
            "neither event nor heartbeat within 2 s",
            "the subscription is made but brings nothing",
        ),
        (
            {"fail_cleanup": "503"},
            "deletion",
            "subscription SUBSCRIPTION could not be deleted: answered with status 503",
            "most platforms end it with its connection",
        ),
    ],
    ids=lambda value: "-".join(f"{name}-{what}" for name, what in value.items()) if isinstance(value, dict) else "",
)
def test_a_fault_is_found_where_it_is(
    doctor: Doctor, platform: SimulatedPlatform, faults: dict[str, Any], check: str, found: str, remedy: str
) -> None:
    platform.set_faults(**faults)
    doctor.use(platform)
    code, wrong = doctor.wrong(*WAIT)
    assert list(wrong) == [check]
    grade, says, does = wrong[check]
    warning = check == "deletion" or faults in ({"clock_skew": 3}, {"clock_skew": -3}, {"token_life": 60})
    assert (grade, code) == (("warn", 0) if warning else ("fail", 1))
    said = re.sub(r"\bsub-[0-9a-f]{16}\b", "SUBSCRIPTION", says).replace(
        platform.api_url.removeprefix("http://"), "HOST"
    )
    assert re.fullmatch(found, said), said
    assert remedy in does
    platform.reset_faults()
    assert check == "deletion" or platform.stats()["subscriptions"] == 0


def test_what_depends_on_a_failed_check_is_passed_over(doctor: Doctor, platform: SimulatedPlatform) -> None:
    platform.refuse_credentials()
    doctor.use(platform)
    code, checks = doctor.find()
    assert code == 1
    passed_over = {name for name, check in checks.items() if check["found"] == "needs token, which failed"}
    assert passed_over == {"scopes", "handshake", "greeting", "subscription", "first-sign", "throttle", "deletion"}


def test_a_platform_without_metadata_and_greeting_will_do(doctor: Doctor, platform: SimulatedPlatform) -> None:
    platform.set_faults(fail_metadata="404", no_greeting=True)
    doctor.use(platform)
    code, checks = doctor.find("--skip", "throttle")
    assert code == 0
    assert checks["metadata"]["found"] == f"none; the usual place stands: {platform.login_url}/oauth/token"
    assert checks["greeting"]["found"].startswith(
        "none within 2 s; the configured callback URL stands: ws://127.0.0.1:"
    )
    assert checks["first-sign"]["grade"] == "ok"


def and_send(platform: SimulatedPlatform, *frames: bytes) -> None:
    """Have these frames follow each new subscription at once."""
    subscribe = platform.platform.subscribe

    def subscribe_and_send(*arguments: Any) -> Any:
        subscription = subscribe(*arguments)
        for each in frames:
            platform.platform.send_raw(each)
        return subscription

    platform.platform.subscribe = subscribe_and_send  # type: ignore[method-assign]


def test_throttling(doctor: Doctor, platform: SimulatedPlatform) -> None:
    and_send(platform, b'{"type":"throttle","dropped":7}')
    doctor.use(platform, max_events_per_second="20")
    code, wrong = doctor.wrong("--only", "throttle")
    assert code == 0
    grade, found, remedy = wrong["throttle"]
    assert grade == "warn"
    assert re.fullmatch(r"1 throttle frame within [2-9] s( \d+ ms)?, 7 events left out", found), found
    assert remedy.startswith("raise MAX_EVENTS_PER_SECOND above 20")


def test_frames_that_hold_no_event(doctor: Doctor) -> None:
    with SimulatedPlatform(heartbeat=60) as platform:
        doctor.use(platform)
        and_send(platform, b'{"type":"x"}', b"{")
        code, wrong = doctor.wrong(*WAIT, "--only", "first-sign")
        assert code == 1
        assert "no event in them can be read: " in wrong["first-sign"][1]


def test_the_first_event_is_named(doctor: Doctor) -> None:
    with SimulatedPlatform(rate=200, heartbeat=60) as platform:
        doctor.use(platform, max_events_per_second="1000")
        code, checks = doctor.find("--only", "first-sign")
        assert code == 0
        assert re.match(r"the first event after \d+ (ms|s): \d+ ", checks["first-sign"]["found"])


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
