"""Neither the secret nor a token ever reaches a log, an error or the status, whatever goes wrong and however much is logged."""

import base64
import logging

import msgspec
import pytest

from journeymap.protocol.limits import Limits
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.base import ConnectionState
from tests.eventstreams import Hasty, Misbehaving, source_for
from tests.running import Running

OPEN = ConnectionState.OPEN

TROUBLES = [
    *({"fail_tokens": f"{how}:1"} for how in ("500", "429", "garbage")),
    *({"fail_metadata": f"{how}:1"} for how in ("404", "500", "garbage")),
    *({"refuse_tokens": f"{status}:1"} for status in ("400", "401", "403")),
    *({"refuse_handshakes": f"{status}:1"} for status in ("401", "403")),
    *({"fail_handshakes": f"{status}:1"} for status in ("429", "503")),
    *({"refuse_subscriptions": f"{status}:1"} for status in ("401", "403", "409")),
    *({"fail_subscriptions": f"{how}:1"} for how in ("429", "500", "garbage")),
    *({"mismatched_subscriptions": f"{what}:1"} for what in ("connection", "callback")),
    {"fail_cleanup": "503:1"},
]


@pytest.mark.parametrize("in_query", [False, True], ids=["in-header", "in-query"])
def test_in_a_wild_run(tmp_path, monkeypatch, caplog, in_query):
    with SimulatedPlatform(token_in_query=True, heartbeat=0.1) as platform:
        tokens = set()
        issue = platform.platform.issue_token
        monkeypatch.setattr(platform.platform, "issue_token", lambda: tokens.add(token := issue()) or token)
        platform.set_faults(retry_after=0)
        ledger = tmp_path / "subscriptions.json"
        limits = Limits(health=1, settle=10)
        source = source_for(platform, Hasty(), ledger=ledger, limits=limits, token_in_query=in_query)
        statuses = []

        def is_back(status):
            statuses.append(status)
            if status.refused:
                source.retry()
            return status.state is OPEN and not status.refused

        with caplog.at_level(logging.DEBUG), Running(source) as running:
            running.wait(is_back, 20)
            for number, trouble in enumerate(TROUBLES):
                before = source.status().reconnects
                platform.set_faults(**trouble)
                platform.act("garbage")
                platform.act("throttle_frame")
                platform.act(*(["expire_tokens"] if number % 2 else ["drop"]))
                running.wait(lambda status, before=before: is_back(status) and status.reconnects > before, 20)
            source.hold("for a moment")
            running.wait(lambda status: status.error == "for a moment")
        secrets = {
            platform.client_secret,
            base64.b64encode(f"{platform.client_id}:{platform.client_secret}".encode()).decode(),
            *tokens,
        }
        said = caplog.text + ledger.read_text() + repr(source) + repr(vars(source).values())
        said += b"".join(msgspec.json.encode(status) for status in statuses).decode() + repr(statuses)
        assert len(tokens) > len(TROUBLES) / 2
        assert "DEBUG" in caplog.text
        assert [secret for secret in secrets if secret in said] == []


def test_what_a_login_server_repeats_is_not_repeated(caplog):
    """A server that puts what it was sent into its answer does not make us say it."""

    def behave(connected, request):
        sent = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"authorization:"))
        body = b'{"error":"' + sent + b'","error_description":"' + sent + b'"}'
        connected.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def login(connected, request):
        if request.startswith(b"POST"):
            behave(connected, request)
        else:
            connected.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connected.close()

    with SimulatedPlatform() as platform, Misbehaving(login) as server:
        source = source_for(platform, login_url=f"http://{server.address}")
        with caplog.at_level(logging.DEBUG), Running(source) as running:
            status = running.wait(lambda status: status.refused)
        coded = base64.b64encode(f"{platform.client_id}:{platform.client_secret}".encode()).decode()
        assert any(coded.encode() in request for request in server.requests)
        assert coded not in caplog.text + repr(status)
        assert platform.client_secret not in caplog.text + repr(status)
