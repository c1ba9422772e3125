"""Durations and sizes as people read them."""

from __future__ import annotations

import pytest

from journeymap.view.labels import duration, size


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (-1, "0 s"),
        (850, "850 ms"),
        (42_000, "42 s"),
        (185_000, "3 min 5 s"),
        (7_200_000, "2 h"),
        (100_800_000, "1 d 4 h"),
    ],
)
def test_durations(length: int, text: str) -> None:
    assert duration(length) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (-1, "0 B"),
        (999, "999 B"),
        (1_024, "1.0 KiB"),
        (10_500, "10 KiB"),
        (1_048_575, "1.0 MiB"),
        (5 << 40, "5.0 TiB"),
        (5_000 << 40, "5000 TiB"),
    ],
)
def test_sizes(length: int, text: str) -> None:
    assert size(length) == text
