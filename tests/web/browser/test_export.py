"""Exports from a real browser."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]
PICTURE_MS = 100_000
"""Drawing 500 rows takes a second or two, on a machine that has nothing else to do."""


@pytest.mark.parametrize(("journeys", "shown"), [(60, 60), (700, 500)])
def test_png_has_all_matching_rows(serve: Serve, visit: Visit, tmp_path: Path, journeys: int, shown: int) -> None:
    page = visit(serve(journeys).url, rows=10)
    with page.expect_download(timeout=PICTURE_MS) as waiting:
        page.locator("#export-png").click()
    path = tmp_path / "picture.png"
    waiting.value.save_as(path)
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    least = shown * 20
    assert width >= 1400 if shown > 400 else width == 2800
    assert height >= (least if shown > 400 else 2 * least)
    assert len(data) > 30_000


def test_svg_names_filters_and_zone(serve: Serve, visit: Visit, tmp_path: Path) -> None:
    page = visit(f"{serve(60).url}/?customer=cust-0001", rows=5)
    with page.expect_download() as waiting:
        page.locator("#export-svg").click()
    path = tmp_path / "picture.svg"
    waiting.value.save_as(path)
    text = path.read_text()
    assert "cust-00011" in text
    assert "cust-00022" not in text
    assert "cust-0001”" in text
    assert page.evaluate("() => Intl.DateTimeFormat().resolvedOptions().timeZone") in text


def test_csv_has_a_line_a_segment(serve: Serve, visit: Visit, tmp_path: Path) -> None:
    served = serve(30)
    served.read_model.add("=1+1")
    page = visit(served.url)
    with page.expect_download() as waiting:
        page.locator("#export-csv").click()
    path = tmp_path / "rows.csv"
    waiting.value.save_as(path)
    lines = path.read_text().splitlines()
    assert lines[0].startswith("customer_id,journey_id")
    segments = sum(len(one["segments"]) for story in served.read_model.stories.values() for one in story.interactions)
    assert len(lines) == segments + 1
    assert any(line.startswith("'=1+1,") for line in lines)
