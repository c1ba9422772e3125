"""The queue between receiving and stitching."""

from __future__ import annotations

import threading

from journeymap.model.record import Record
from journeymap.runtime.inbox import Inbox


def record(size: int, number: int = 0) -> Record:
    return Record(b"x" * size, "one", number, number)


def test_gives_back_in_order_what_was_put_in() -> None:
    inbox = Inbox()
    records = [record(n, n) for n in range(5)]
    for item in records:
        inbox.put(item)
    assert inbox.waiting_bytes == 10
    assert inbox.take() == records
    assert (inbox.take(), inbox.waiting_bytes) == ([], 0)


def test_takes_about_a_handful_at_once_and_at_least_one() -> None:
    inbox = Inbox()
    for n in range(4):
        inbox.put(record(10, n))
    assert [item.end for item in inbox.take(15)] == [0, 1]
    assert [item.end for item in inbox.take(1)] == [2]
    assert inbox.waiting_bytes == 10


def test_tells_since_when_the_oldest_waits() -> None:
    inbox = Inbox()
    assert inbox.waiting_since() is None
    for n in (3, 4):
        inbox.put(record(10, n))
    assert inbox.waiting_since() == 3
    inbox.take(1)
    assert inbox.waiting_since() == 4


def test_whoever_finds_it_full_waits_for_room() -> None:
    inbox = Inbox(max_bytes=10)
    inbox.put(record(10, 1))
    thread = threading.Thread(target=inbox.put, args=(record(5, 2),), daemon=True)
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    assert [item.end for item in inbox.take()] == [1]
    thread.join(5)
    assert [item.end for item in inbox.take()] == [2]


def test_nobody_waits_once_it_is_closed_and_nothing_is_lost() -> None:
    inbox = Inbox(max_bytes=10)
    inbox.put(record(10, 1))
    thread = threading.Thread(target=inbox.put, args=(record(5, 2),), daemon=True)
    thread.start()
    inbox.close()
    thread.join(5)
    inbox.put(record(5, 3))
    assert [item.end for item in inbox.take()] == [1, 2, 3]
