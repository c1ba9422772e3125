"""Charts as PNG, PDF and HTML: they open, are as large as they say, and show what they should, wherever they are cut."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from journeymap.errors import InputError, JourneymapError
from journeymap.export import picture
from journeymap.export.caption import Look
from journeymap.export.formats import write_export
from journeymap.export.outlines import outlined
from journeymap.export.palette import tokens
from journeymap.export.picture import fitting_scale, write_png
from journeymap.model.time import MINUTE
from journeymap.view.filters import make_filter
from tests.unit.export.sample import START, exported, of_rows, row

ROW, TOP = 28, 46 + 2 * 19 + 30 + 30


def opened(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def near(pixel: object, colour: str, by: int = 12) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(one - other) <= by for one, other in zip(pixel, rgb(colour), strict=True))


@pytest.mark.parametrize(("theme", "scale"), [("light", 1.0), ("dark", 2.0)])
def test_a_png_has_its_size_and_its_colours(theme: str, scale: float) -> None:
    look = Look("dark" if theme == "dark" else "light")
    wanted = make_filter(start=START, end=START + 20 * MINUTE)
    image = opened(
        exported("png", of_rows([row(number) for number in range(5)], look=look, scale=scale, wanted=wanted))
    )
    palette = tokens(look.theme)
    assert image.size == (1440 * scale, (TOP + 5 * ROW + 50) * scale)
    assert image.info["dpi"] == pytest.approx((96 * scale, 96 * scale), abs=0.1)
    assert near(image.getpixel((5, 5)), palette["surface"], 0)
    width = 1440 - 2 * 20 - 276

    def at(minute: float, y: float) -> object:
        return image.getpixel((round((296 + width * minute / 20) * scale), round((TOP + y) * scale)))

    assert near(at(3.9, 8), palette["channel-voice"]), "the call of the first row, in its upper lane"
    assert near(at(0.5, 8), palette["channel-voice-tint"]), "its wait"
    assert near(at(10, 20), palette["channel-chat"]), "the chat below it"
    assert near(image.getpixel((round(30 * scale), round((TOP + 14) * scale))), palette["state-active"])


def test_text_can_be_read() -> None:
    """Where a name stands there is ink of the text's colour; another name leaves other ink."""
    palette = tokens("light")
    names = [opened(exported("png", of_rows([row(0, name)], scale=2.0))) for name in ("cust-11111", "cust-88888", " ")]
    boxes = [image.crop((80, 2 * TOP, 300, 2 * (TOP + ROW))) for image in names]
    inks = [sum(near(pixel, palette["text"], 60) for pixel in box.get_flattened_data()) for box in boxes]
    assert inks[0] > 200
    assert inks[1] > inks[0]
    assert inks[2] == 0
    assert ImageChops.difference(boxes[0], boxes[1]).getbbox() is not None


def test_outlines_of_texts_are_what_the_rasteriser_draws_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for kerning, which is not measured either: by a pixel or two a letter may stand elsewhere."""
    selection = {"look": Look(title="Zażółć gęślą jaźń · Ωμέγα: “100 %” <&>"), "scale": 2.0}
    ours = opened(exported("png", of_rows([row(number) for number in range(3)], **selection)))
    monkeypatch.setattr(picture, "outlined", lambda svg, _: svg)
    theirs = opened(exported("png", of_rows([row(number) for number in range(3)], **selection)))
    assert ours.size == theirs.size
    for box in ((0, 0, 900, 180), (0, 2 * TOP, 592, 2 * (TOP + 3 * ROW)), (592, 2 * (TOP - 30), 2840, 2 * TOP)):
        one, other = (image.crop(box).convert("L") for image in (ours, theirs))
        edges = [ImageChops.invert(each).point([0] * 60 + [255] * 196).getbbox() for each in (one, other)]
        assert edges[0] is not None
        assert edges[1] is not None
        assert max(abs(first - second) for first, second in zip(*edges, strict=True)) <= 4
        inks = [sum(255 - level for level in each.get_flattened_data()) for each in (one, other)]
        assert inks[0] == pytest.approx(inks[1], rel=0.01)


def test_texts_with_letters_that_the_typeface_lacks_are_left_to_the_rasteriser() -> None:
    svg = '<text x="5" y="9.5" class="s m">a{}</text>'
    assert outlined(svg.format("你"), "#010203") == svg.format("你")
    path = outlined(svg.format("b&amp; i"), "#010203")
    assert path.startswith('<path class="s m" fill="#010203" d="M5 9.5m')
    assert path.count("z") == 9, "a and b are of two parts, the sign is of three, and i is of two"


def test_bands_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    svg = exported("svg", of_rows([row(number) for number in range(40)])).decode()

    def drawn(pixels: int, scale: float) -> Image.Image:
        monkeypatch.setattr(picture, "BAND_PIXELS", pixels)
        out = io.BytesIO()
        write_png([svg], out, scale)
        return opened(out.getvalue())

    for scale in (1.0, 1.5):
        whole, cut = drawn(100_000_000, scale), drawn(150_000, scale)
        assert whole.size == cut.size
        difference = ImageChops.difference(whole, cut).convert("L")
        assert sum(value > 48 for value in difference.get_flattened_data()) < 40, (
            "hatching may begin elsewhere by a hair"
        )


def test_letters_that_the_typeface_lacks_do_not_stop_a_picture() -> None:
    image = opened(exported("png", of_rows([row(0, "שלום مرحبا 你好 🎉")])))
    assert image.size[0] == 1440


def test_a_picture_too_tall_is_drawn_smaller_or_refused() -> None:
    assert fitting_scale(1440, 10_000, 4) == 4
    assert fitting_scale(1440, 32_750, 4) == 2
    with pytest.raises(InputError, match="export PDF"):
        fitting_scale(1440, 65_501, 1)
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="40000" viewBox="0 0 100 40000"></svg>'
    drawn = write_png([svg], io.BytesIO(), 4)
    assert (drawn.width, drawn.height) == (164, 65_500)


def test_a_process_that_dies_is_an_error_and_not_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "FAMILY", "")
    monkeypatch.setattr(picture, "font_files", list)
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10" viewBox="0 0 10 10"><not closed'
    with pytest.raises(JourneymapError, match="could not be drawn"):
        write_png([svg], io.BytesIO())


def test_fifty_exports_leave_nothing_behind() -> None:
    selection_rows = [row(number) for number in range(2)]
    exported("png", of_rows(selection_rows))
    descriptors = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    small = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20" viewBox="0 0 20 20"></svg>'
    for _ in range(8):
        write_png([small], io.BytesIO())
    for _ in range(42):
        exported("svg", of_rows(selection_rows))
    if descriptors:
        assert len(list(Path("/proc/self/fd").iterdir())) <= descriptors
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_pdf_has_a_page_for_so_many_rows() -> None:
    out = io.BytesIO()
    told: list[tuple[int, int | None]] = []
    write_export("pdf", of_rows([row(number) for number in range(60)]), out, lambda *count: told.append(count))
    pdf = out.getvalue()
    assert pdf.startswith(b"%PDF-")
    pages = len(re.findall(rb"/Type /Page\b", pdf))
    assert pages == 3
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_an_html_page_loads_nothing_and_runs_nothing() -> None:
    page = exported("html", of_rows([row(0)], look=Look("dark", title="A <title>"))).decode()
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page
    assert "<title>A &lt;title&gt;</title>" in page
    assert not re.search(r"<(script|link|img|iframe)|url\((?!#)|@import|src=", page)
