"""Messages to a web hook, against real servers on loopback: good ones, and such as fail, hang, redirect or are not there."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from journeymap.errors import StoreFullError
from journeymap.model.status import GAPS, AlertCounts, decode_gaps
from journeymap.runtime import alerts as alerting
from journeymap.runtime.alerts import Alerts
from journeymap.runtime.hook import MAX_WAITING, TRIES, WebHook
from journeymap.testing import ABORT, PAUSE
from tests.integration.ingest import CLOCK, Running, Store, events, source
from tests.integration.process import until

KEY = "T0PSECRETKEY"


class Server:
    """Answers each request with the next of `answers`, the last one again and again; a callable answers by itself."""

    def __init__(self, *answers: int | Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.answers = list(answers)
        self.received: list[dict[str, Any]] = []
        self.paths: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.paths.append(self.path)
                answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                if callable(answer):
                    answer(self)
                    return
                if 200 <= answer < 300:
                    assert self.headers["Content-Type"] == "application/json"
                    outer.received.append(json.loads(body))
                self.send_response(answer)
                if 300 <= answer < 400:
                    self.send_header("Location", f"http://127.0.0.1:{outer.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hooks/{KEY}?token={KEY}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Server:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@contextmanager
def hook_to(url: str, timeout: int = 10_000) -> Iterator[WebHook]:
    hook = WebHook(url, CLOCK.now, timeout=timeout, longest_wait=0.02)
    try:
        yield hook
    finally:
        hook.close(5)


@pytest.fixture(autouse=True)
def _no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The key is in no log at any level that a command can be set to."""
    caplog.set_level(logging.INFO)
    for name in ("httpx", "httpcore"):  # as runtime/logs.py does
        logging.getLogger(name).setLevel(logging.WARNING)
    yield
    assert KEY not in caplog.text


def test_messages_arrive_in_order_as_json() -> None:
    with Server(200) as server, hook_to(server.url) as hook:
        for number in range(5):
            hook.send({"number": number, "text": "grüße"})
        until(lambda: hook.counts().delivered == 5, "all messages")
        assert server.received == [{"number": number, "text": "grüße"} for number in range(5)]
        assert set(server.paths) == {f"/hooks/{KEY}?token={KEY}"}


def test_what_fails_for_a_while_is_tried_again() -> None:
    with Server(500, 429, 503, 204) as server, hook_to(server.url) as hook:
        hook.send({"number": 1})
        until(lambda: hook.counts() == AlertCounts(delivered=1), "the message")
        assert len(server.paths) == 4


@pytest.mark.parametrize(("answer", "tries"), [(500, TRIES), (404, 1), (302, 1), (410, 1)])
def test_what_fails_for_good_is_given_up_and_said(answer: int, tries: int, caplog: pytest.LogCaptureFixture) -> None:
    with Server(answer) as server, hook_to(server.url) as hook:
        hook.send({"number": 1})
        until(lambda: hook.counts() == AlertCounts(failed=1), "the end of trying")
        assert len(server.paths) == tries
        assert "/elsewhere" not in server.paths, "a redirect would carry the message away"
    assert f"a message to the web hook could not be delivered: it answered with status {answer}" in caplog.text


def test_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with hook_to(f"http://127.0.0.1:{port}/{KEY}") as hook:
        hook.send({})
        until(lambda: hook.counts().failed == 1, "the end of trying")
    assert "nothing listens at the web hook; check ALERT_URL" in caplog.text
    assert "127.0.0.1" not in caplog.text


def test_an_answer_that_is_no_http_is_a_failure() -> None:
    def garbage(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(f"{KEY}\r\n\r\n".encode())
        handler.close_connection = True

    with Server(garbage) as server, hook_to(server.url) as hook:
        hook.send({})
        until(lambda: hook.counts().failed == 1, "the end of trying")


def test_one_that_hangs_costs_nobody_time() -> None:
    leave = threading.Event()
    with Server(lambda _handler: leave.wait(60) and None) as server:
        hook = WebHook(server.url, CLOCK.now)
        began = time.monotonic()
        for number in range(MAX_WAITING + 10):
            hook.send({"number": number})
        assert time.monotonic() - began < 5
        until(lambda: server.paths, "the first one")
        assert hook.counts().discarded in (9, 10)  # one is under way
        began = time.monotonic()
        hook.close(0.2)
        assert time.monotonic() - began < 5
        leave.set()
        assert hook._thread is None, "it has ended"
        hook.close(0.2)


def test_what_waits_at_the_end_is_tried_once_more() -> None:
    with Server(200) as server:
        hook = WebHook(server.url, CLOCK.now)
        for number in range(3):
            hook.send({"number": number})
        hook.close(10)
        assert [each["number"] for each in server.received] == [0, 1, 2]


def test_an_end_does_not_wait_for_a_server_that_fails() -> None:
    with Server(500) as server:
        hook = WebHook(server.url, CLOCK.now, longest_wait=60)
        hook.send({})
        until(lambda: server.paths, "the first try")
        began = time.monotonic()
        hook.close(10)
        assert time.monotonic() - began < 5
        assert hook.counts() == AlertCounts(failed=1)


# Ingest and its hook


def test_ingest_tells_of_a_store_and_of_its_own_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerting, "STORE_FOR", 100)
    store = Store()
    with Server(200) as server:
        alerts = Alerts(WebHook(server.url, CLOCK.now), "test")
        script = source(*events(3), PAUSE, ABORT)
        with Running(tmp_path, store, script, alerts=alerts) as running:
            script.wait_for_pause()
            store.full = True
            until(lambda: server.received, "the store's alert")
            store.full = False
            until(lambda: len(server.received) == 2, "its end")
            running.until_told(lambda status: status.alerts.delivered == 2)
            script.go_on()
            assert running.failed.wait(10)
        told = [(each["kind"], each["state"]) for each in server.received]
        assert told == [("store", "firing"), ("store", "resolved"), ("failed", "firing")]
        assert str(StoreFullError("no space left for the store")) in server.received[0]["summary"]
        assert "the script says so" in server.received[2]["summary"]
        with Running(tmp_path, store, source(), alerts=Alerts(WebHook(server.url, CLOCK.now), "test")):
            until(lambda: len(server.received) == 4, "the end of the failure")
        assert (server.received[3]["kind"], server.received[3]["state"]) == ("failed", "resolved")


def test_ingest_tells_of_a_disk_that_is_nearly_full_and_counts_the_time_as_a_gap(tmp_path: Path) -> None:
    store, free = Store(), [10_000]
    with Server(200) as server:
        alerts = Alerts(WebHook(server.url, CLOCK.now), "test")
        options = {"disk_reserve": 1_000, "alerts": alerts}
        with Running(tmp_path, store, source(*events(3)), free=lambda _path: free[0], **options) as running:
            running.until_told(lambda status: status.state == "OPEN")
            free[0] = 10
            stopped = running.until_told(lambda status: status.reading_stopped)
            until(lambda: server.received, "the alert")
            free[0] = 10_000
            running.until_told(lambda status: status.state == "OPEN" and not status.reading_stopped)
            until(lambda: len(server.received) == 2, "its end")
            gaps = decode_gaps(store.document(GAPS) or b"")
        assert [(each["kind"], each["state"]) for each in server.received] == [("disk", "firing"), ("disk", "resolved")]
        assert str(stopped.reading_stopped) in server.received[0]["summary"]
        assert sorted(gap.kind for gap in gaps) == ["disconnected", "disk"]
        assert all(gap.end is not None and gap.start < gap.end for gap in gaps)


def test_ingest_does_not_wait_for_a_hook_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerting, "STORE_FOR", 0)
    monkeypatch.setattr(alerting, "_LAST_WORDS", 0.2)
    store, leave = Store(), threading.Event()
    with Server(lambda _handler: leave.wait(60) and None) as server:
        alerts = Alerts(WebHook(server.url, CLOCK.now), "test")
        with Running(tmp_path, store, source(*events(3), PAUSE, *events(300)[3:]), alerts=alerts) as running:
            running.source.wait_for_pause()
            store.full = True
            until(lambda: server.paths, "the alert under way")
            store.full = False
            running.source.go_on()
            running.until_told(lambda status: status.counts.events == 300)
        leave.set()
