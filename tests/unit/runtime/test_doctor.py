"""What doctor makes of what it finds, and in which order it looks."""

from __future__ import annotations

import errno
import signal
import socket
import ssl
from collections import Counter

import pytest

from journeymap.errors import SourceError
from journeymap.model.status import IngestStatus
from journeymap.model.time import DAY, MINUTE, SECOND
from journeymap.protocol.exchange import Subscribed
from journeymap.runtime.doctor import machine
from journeymap.runtime.doctor.account import judge_clock, judge_scopes
from journeymap.runtime.doctor.certificate import Issued, judge_certificate, judge_refusal, judge_tls_failure
from journeymap.runtime.doctor.examination import Check, Listener, Result, chosen, examine
from journeymap.runtime.doctor.interrupts import as_ctrl_c, held_back
from journeymap.runtime.doctor.line import Attempt, judge_attempts
from journeymap.runtime.doctor.outcome import LONGEST, Grade, Outcome, fail, ok, one_line, warn
from journeymap.runtime.doctor.storage import JournalFigures, health, judge_journal, room
from journeymap.runtime.doctor.stream import judge_first_frames, judge_handshake, judge_subscription

NOW = 1_764_000_000_000
MIB, GIB = 1 << 20, 1 << 30


# The examination


def check(name: str, outcome: Outcome | Exception, *needs: Check, about: str = "") -> Check:
    def made(_: object) -> Outcome:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Check("Part", name, made, needs, about)


def grades(results: list[Result]) -> list[tuple[str, str]]:
    return [(result.grade, result.found) for result in results]


def test_one_cause_is_one_failure() -> None:
    name = check("dns", fail("no such name", "look"), about="a.example")
    way = check("tcp", ok("connected"), name)
    token = check("token", ok("granted"), way)
    assert grades(examine([name, way, token, check("disk", ok("room"))], Listener())) == [
        ("fail", "no such name"),
        ("skip", "needs dns, which failed for a.example"),
        ("skip", "needs dns, which failed for a.example"),
        ("ok", "room"),
    ]


def test_a_warning_and_a_check_left_out_stop_nothing() -> None:
    first = check("first", warn("hm", "do"))
    second = check("second", ok("fine"), first)
    third = check("third", ok("fine too"), second)
    assert grades(examine([first, second, third], Listener(), {"second"})) == [
        ("warn", "hm"),
        ("skip", "left out by --skip"),
        ("ok", "fine too"),
    ]


def test_a_defect_in_one_check_does_not_keep_back_the_others() -> None:
    results = examine(
        [check("a", RuntimeError("odd")), check("b", SourceError("down")), check("c", ok("fine"))], Listener()
    )
    assert grades(results) == [("fail", "internal error: RuntimeError: odd"), ("fail", "down"), ("ok", "fine")]
    assert results[0].remedy == "please report it"


def test_only_brings_what_is_needed_along() -> None:
    first, other = check("first", ok("")), check("other", ok(""))
    second = check("second", ok(""), first)
    third = check("third", ok(""), second)
    everything = [first, other, second, third]
    assert chosen(everything, ()) == everything
    assert chosen(everything, {"second"}) == [first, second]
    assert chosen(everything, {"third", "other"}) == everything


def test_a_listener_hears_all_and_of_the_end_also_when_it_is_broken_off() -> None:
    heard: list[str] = []

    class Ear(Listener):
        def begins(self, check: Check) -> None:
            heard.append(f"begins {check.name}")

        def waits(self, text: str) -> None:
            heard.append(text)

        def found(self, result: Result) -> None:
            heard.append(f"found {result.name}")

        def done(self) -> None:
            heard.append("done")

    def patient(waits: object) -> Outcome:
        assert callable(waits)
        waits("1 of 2 s")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examine([check("a", ok("")), Check("Part", "b", patient)], Ear())
    assert heard == ["begins a", "found a", "begins b", "1 of 2 s", "done"]


def test_what_others_say_stays_on_its_line() -> None:
    assert one_line("a\n\x1b[31mb\u202e  c") == "a ?[31mb? c"
    assert len(one_line("x" * 10_000)) == LONGEST


# Ctrl-C


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_waits_for_a_step_that_must_be_undone(number: signal.Signals) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    undone = []

    def make_and_undo() -> None:
        try:
            with held_back():
                signal.raise_signal(number)
                undone.append("made")
        finally:
            with held_back():
                undone.append("undone")

    with as_ctrl_c(), pytest.raises(KeyboardInterrupt):
        make_and_undo()
    assert undone == ["made", "undone"]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


# Judgements


@pytest.mark.parametrize(
    ("skew", "took", "grade"),
    [
        (0, 0, Grade.OK),
        (-2 * SECOND, 0, Grade.OK),
        (3 * SECOND, 0, Grade.WARN),
        (-3 * SECOND, 0, Grade.WARN),
        (3 * SECOND, 8 * SECOND, Grade.OK),  # a slow answer proves nothing
        (MINUTE, 0, Grade.WARN),
        (-MINUTE - SECOND, 0, Grade.FAIL),
        (DAY, 0, Grade.FAIL),
    ],
)
def test_clocks(skew: int, took: int, grade: Grade) -> None:
    outcome = judge_clock(NOW + skew - took // 2, NOW + skew + took // 2, NOW - SECOND // 2)
    assert outcome.grade is grade
    side = "ahead of" if skew > 0 else "behind"
    assert outcome.found == f"this clock is {abs(skew):,} ms {side} the platform's (±{(took + SECOND) // 2:,} ms)"


def test_a_server_without_a_clock() -> None:
    assert judge_clock(NOW, NOW, None).grade is Grade.SKIP


@pytest.mark.parametrize(
    ("granted", "grade", "found"),
    [
        (("b", "a", "c"), Grade.OK, "b a c: all that were asked for"),
        (None, Grade.OK, "asked for a b; the platform names none, so they are granted"),
        (("a",), Grade.FAIL, "not granted: b; granted: a"),
        ((), Grade.FAIL, "not granted: a b; granted: none"),
    ],
)
def test_scopes(granted: tuple[str, ...] | None, grade: Grade, found: str) -> None:
    outcome = judge_scopes(("a", "b"), granted)
    assert (outcome.grade, outcome.found) == (grade, found)


@pytest.mark.parametrize(
    ("left", "grade"), [(21 * DAY, Grade.OK), (21 * DAY - 1, Grade.WARN), (0, Grade.WARN), (-DAY, Grade.WARN)]
)
def test_the_days_of_a_certificate(left: int, grade: Grade) -> None:
    issued = Issued("an authority", ("a.example",), NOW + left)
    outcome = judge_certificate(issued, "TLSv1.3, AES", "a.example", NOW)
    assert outcome.grade is grade
    assert outcome.found.startswith("TLSv1.3, AES; certificate of an authority, good until 2025-")
    assert outcome.found.endswith(f" ({left // DAY} days)")


def test_a_certificate_as_python_reads_it() -> None:
    decoded = {
        "issuer": ((("countryName", "AT"),), (("organizationName", "Trust"),), (("commonName", "R3"),)),
        "notAfter": "Nov 24 16:00:00 2025 GMT",
        "subjectAltName": (("DNS", "a.example"), ("IP Address", "10.0.0.1"), ("email", "x")),
    }
    assert Issued.read(decoded) == Issued("Trust, R3", ("a.example", "10.0.0.1"), NOW)
    assert Issued.read({}).issuer == "an unnamed issuer"


def test_a_refused_certificate_that_could_not_be_read() -> None:
    outcome = judge_refusal(18, "self-signed certificate", None, "a.example", "API_URL")
    assert outcome.found == "the certificate is not trusted: self-signed certificate"
    assert judge_refusal(62, "", None, "a.example", "API_URL").found == "the certificate is for another name"


@pytest.mark.parametrize(
    ("error", "outdated", "found"),
    [
        (TimeoutError(), None, "no answer to the TLS handshake"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), None, "connection reset by peer"),
        (ssl.SSLEOFError(), None, "the connection ended"),
        (ssl.SSLError(), "TLSv1.1", "nothing newer than TLSv1.1 is spoken there"),
    ],
)
def test_handshakes_that_fail(error: OSError, outdated: str | None, found: str) -> None:
    assert judge_tls_failure(error, outdated, "a.example", 443, "API_URL").found.endswith(found)


REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
NO_ROUTE = OSError(errno.ENETUNREACH, "Network is unreachable")
LATE = TimeoutError()


@pytest.mark.parametrize(
    ("attempts", "grade", "found", "remedy"),
    [
        ([Attempt("1.1.1.1", 0.0123)], Grade.OK, "connected to 1.1.1.1 in 12 ms", ""),
        (
            [Attempt("1.1.1.1", 0.0123), Attempt("2::1", 0.001, NO_ROUTE)],
            Grade.OK,
            "connected to 1.1.1.1 in 12 ms; not to 2::1: network is unreachable, which does no harm",
            "",
        ),
        (
            [Attempt("2::1", 5.0, LATE), Attempt("1.1.1.1", 0.0023)],
            Grade.WARN,
            "connected to 1.1.1.1 in 2.3 ms, not to 2::1: no answer within 5 s",
            "each connect may wait",
        ),
        ([Attempt("1.1.1.1", 0.1, REFUSED)], Grade.FAIL, "1.1.1.1: nothing listens", "check host and port"),
        ([Attempt("1.1.1.1", 5, LATE)], Grade.FAIL, "1.1.1.1: no answer within 5 s", "a firewall drops"),
        ([Attempt("1.1.1.1", 0, NO_ROUTE)], Grade.FAIL, "1.1.1.1: network is unreachable", "this machine has no route"),
    ],
)
def test_connects(attempts: list[Attempt], grade: Grade, found: str, remedy: str) -> None:
    outcome = judge_attempts(attempts, 5)
    assert (outcome.grade, outcome.found) == (grade, found)
    assert (outcome.remedy or "").startswith(remedy)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "one region"),
        (403, "the right to read"),
        (404, "host and path"),
        (302, "where it leads"),
        (500, "in a while"),
    ],
)
def test_handshakes_answered_with_a_status(status: int, words: str) -> None:
    outcome = judge_handshake(status, None)
    assert outcome.grade is Grade.FAIL
    assert words in (outcome.remedy or "")


def test_subscriptions() -> None:
    answer = Subscribed(1, "s", None, "c", None, 20)
    lower = judge_subscription(answer, "", "c", 50)
    assert (lower.grade, lower.found) == (
        Grade.WARN,
        "s matches the connection, but for 20 events/s where 50 were asked for",
    )
    assert (
        judge_subscription(answer, "", None, 20).found
        == "s made for the callback URL, at most 20 events/s as asked for"
    )
    assert judge_subscription(answer, "another connection id", "d", 20).grade is Grade.FAIL


def test_first_frames() -> None:
    good = judge_first_frames(40, 2, Counter({"a": 3}), Counter())
    assert (good.grade, good.found) == (Grade.OK, "the first event after 40 ms: 3 a")
    mixed = judge_first_frames(40, 2, Counter({"a": 3}), Counter({"not-json": 1}))
    assert (mixed.grade, mixed.found) == (
        Grade.WARN,
        "the first event after 40 ms: 3 a; unusable: the text is not JSON (1)",
    )
    assert judge_first_frames(40, 2, Counter(), Counter()).grade is Grade.FAIL


@pytest.mark.parametrize(
    ("free", "growth", "grade"),
    [
        (2 * GIB, GIB, Grade.OK),
        (2 * GIB - 1, 1_000 * MIB, Grade.OK),
        (GIB, GIB, Grade.WARN),
        (100 * MIB, 0, Grade.FAIL),
    ],
)
def test_room_on_the_disk(free: int, growth: int, grade: Grade) -> None:
    assert room(free, 256 * MIB, growth, "/data").grade is grade


def test_journals() -> None:
    well = judge_journal(JournalFigures(MIB, GIB, age=DAY))
    assert well.found == "1.0 MiB of 1GiB in 1 segments, back to 1 d ago, all of it in the store"
    assert judge_journal(JournalFigures(2 * GIB, GIB, waiting=GIB)).grade is Grade.WARN
    assert judge_journal(JournalFigures(2 * GIB, GIB)).grade is Grade.OK  # what is over goes soon
    assert judge_journal(JournalFigures(MIB, GIB, torn=7)).grade is Grade.WARN
    assert "7 bytes are damaged" in judge_journal(JournalFigures(MIB, GIB, damaged=7)).found


def test_how_a_running_ingest_fares() -> None:
    status = IngestStatus(written_at=NOW - SECOND, state="OPEN", since=NOW - MINUTE, last_event_at=NOW - 1_500)
    well = health(status, NOW)
    assert (well.grade, well.found) == (
        Grade.OK,
        "OPEN for 1 min, last event 1 s ago, 0 s behind, 0 events since it was started",
    )
    assert health(None, NOW).grade is Grade.FAIL
    assert health(status, NOW + DAY).found.endswith("(last: 1 d ago)")
    refused = IngestStatus(written_at=NOW, since=NOW - MINUTE, error="status 401", refused=True)
    assert health(refused, NOW).grade is Grade.FAIL
    assert "CLIENT_SECRET" in (health(refused, NOW).remedy or "")
    trying = IngestStatus(written_at=NOW, state="CONNECTING", since=NOW - SECOND)
    assert health(trying, NOW).grade is Grade.WARN


@pytest.mark.parametrize(
    ("limit", "grade"), [(None, Grade.OK), (1_024, Grade.OK), (1_023, Grade.WARN), (127, Grade.FAIL)]
)
def test_descriptors(limit: int | None, grade: Grade) -> None:
    assert machine.descriptors(limit).grade is grade


def test_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ANSWER_PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        mine = machine.port("PORT", "127.0.0.1", number)
        assert mine.grade is Grade.FAIL
        assert mine.found == f"cannot listen on 127.0.0.1:{number}: Address already in use"
        theirs = machine.port("INGEST_PORT", "127.0.0.1", number)
        assert theirs.grade is Grade.WARN
        assert theirs.remedy is not None
        assert "set INGEST_PORT to another port" in theirs.remedy
    assert machine.port("PORT", "127.0.0.1", number).found == f"127.0.0.1:{number} is free"
    assert machine.port("PORT", "::1", 0).grade is Grade.OK


def test_time_zones() -> None:
    assert machine.time_zone("Europe/Vienna").found.startswith("Europe/Vienna; this machine is in ")
    assert machine.time_zone(None).found.startswith("the browser's, since TIME_ZONE is not set; ")
