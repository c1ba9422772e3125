"""Receipts: which events a pong acknowledges."""

from journeymap.simulator.receipts import Receipts
from journeymap.simulator.told import Told

ONE, TWO, THREE = (Told(b"{}", name, "interaction.created") for name in ("one", "two", "three"))


def test_a_pong_acknowledges_what_was_sent_before_its_ping() -> None:
    receipts = Receipts()
    receipts.sent([ONE])
    first = receipts.next_ping()
    receipts.sent([TWO])
    assert first is not None
    assert receipts.outstanding == 2
    assert receipts.answered(first) == [ONE]
    assert receipts.answered(first) == []
    assert receipts.outstanding == 1


def test_a_pong_answers_all_earlier_pings_too() -> None:
    receipts = Receipts()
    pings = []
    for told in (ONE, TWO, THREE):
        receipts.sent([told])
        pings.append(receipts.next_ping())
    assert pings[1] is not None
    assert receipts.answered(pings[1]) == [ONE, TWO]
    assert receipts.outstanding == 1


def test_there_is_no_ping_without_news() -> None:
    receipts = Receipts()
    assert receipts.next_ping() is None
    receipts.sent([ONE])
    assert receipts.next_ping() is not None
    assert receipts.next_ping() is None


def test_a_pong_that_answers_nothing_of_ours_acknowledges_nothing() -> None:
    receipts = Receipts()
    receipts.sent([ONE])
    ping = receipts.next_ping()
    assert ping is not None
    for payload in (b"", b"1", b"\x01\x02\x03\x04", ping + b"0", ping[:-1], ping[:-1] + b"x"):
        assert receipts.answered(payload) == []
    assert receipts.outstanding == 1


def test_given_up_means_never() -> None:
    receipts = Receipts()
    receipts.sent([ONE])
    ping = receipts.next_ping()
    receipts.give_up()
    receipts.sent([TWO])
    assert ping is not None
    assert receipts.answered(ping) == []
    assert receipts.next_ping() is None
    assert receipts.outstanding == 0
