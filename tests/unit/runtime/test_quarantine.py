"""What is counted and kept of what cannot be used."""

from __future__ import annotations

from journeymap.decode.event import decode_frame
from journeymap.model.record import Rejected
from journeymap.model.status import Quarantined
from journeymap.runtime.quarantine import MAX_REASONS, OTHER, Quarantine

NOW = 1_700_000_000_000


def rejected(raw: bytes) -> Rejected:
    return decode_frame(raw)[1][0]


def test_the_last_of_each_reason_is_kept() -> None:
    quarantine = Quarantine()
    quarantine.set_aside(rejected(b"first"), "one", NOW)
    quarantine.set_aside(rejected(b"{}"), "one", NOW + 1)
    quarantine.set_aside(rejected(b'second "password": "abc"'), "two", NOW + 2)
    assert quarantine.counts == {"not-json": 2, "no-type": 1}
    assert quarantine.total == 3
    assert quarantine.entries() == [
        Quarantined(
            "not-json",
            2,
            NOW + 2,
            "two",
            "the text is not JSON",
            'second "password": "******"',
            bytes=24,
            truncated=False,
        ),
        Quarantined("no-type", 1, NOW + 1, "one", "the event has no type", "{}", bytes=2),
    ]


def test_a_large_one_is_cut_and_its_whole_length_told() -> None:
    quarantine = Quarantine()
    quarantine.set_aside(rejected(b"\xff" * 5_000), "one", NOW)
    (entry,) = quarantine.entries()
    assert (entry.bytes, entry.truncated, entry.sample) == (5_000, True, "\\xff" * 500)


def test_those_of_an_earlier_process_stay_until_there_is_a_newer_one() -> None:
    earlier = [Quarantined("not-json", 9, NOW - 5, sample="old"), Quarantined("gone", 4, NOW - 9, sample="older")]
    quarantine = Quarantine()
    quarantine.recall(earlier)
    assert quarantine.counts == {}
    assert [(entry.reason, entry.count, entry.sample) for entry in quarantine.entries()] == [
        ("not-json", 0, "old"),
        ("gone", 0, "older"),
    ]
    quarantine.set_aside(rejected(b"new"), "one", NOW)
    assert [(entry.reason, entry.count, entry.sample) for entry in quarantine.entries()] == [
        ("not-json", 1, "new"),
        ("gone", 0, "older"),
    ]


def test_reasons_are_bounded_and_nothing_goes_uncounted() -> None:
    quarantine = Quarantine()
    quarantine.recall(Quarantined(f"earlier-{n}", 1, NOW + n) for n in range(100))
    assert len(quarantine.entries()) == MAX_REASONS
    for n in range(100):
        quarantine.set_aside(Rejected(f"reason-{n}", "", b""), "one", NOW + 200 + n)
    assert quarantine.total == 100
    assert quarantine.counts[OTHER] == 100 - MAX_REASONS
    assert len(quarantine.entries()) == MAX_REASONS
