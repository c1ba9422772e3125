"""Charts as documents: PDF with a chart a page, and one HTML file that needs nothing beside it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO, Final

from fpdf import FPDF

from journeymap import __version__
from journeymap.export.palette import Theme, tokens
from journeymap.export.picture import write_png
from journeymap.export.svg import escaped, plain
from journeymap.model.time import Millis

PAGE: Final = (420.0, 297.0)
"""Millimetres of a page: A3, lying; printed on A4 it can still be read."""

EDGE: Final = 8.0
PDF_SCALE: Final = 2.0

MOST_PAGES: Final = 200

Told = Callable[[int, int], None]
"""Is told after each page how many are done, and how many there are."""


def write_pdf(
    pages: Iterable[Iterable[str]],
    count: int,
    out: BinaryIO,
    title: str,
    now: Millis,
    *,
    scale: float = PDF_SCALE,
    told: Told = lambda _done, _all: None,
) -> None:
    """A PDF of SVG charts, each as wide as its page, in the colours of their theme."""
    document = FPDF(orientation="landscape", format=(PAGE[1], PAGE[0]))
    document.set_title(plain(title))
    document.set_creator(f"Journeymap {__version__}")
    document.set_producer(f"Journeymap {__version__}")
    document.set_creation_date(datetime.fromtimestamp(now / 1000, UTC))
    document.set_lang("en")
    document.set_auto_page_break(False)
    for done, page in enumerate(pages, 1):
        picture = io.BytesIO()
        drawn = write_png(page, picture, scale)
        picture.seek(0)
        document.add_page()
        width, room = PAGE[0] - 2 * EDGE, PAGE[1] - 2 * EDGE
        height = width * drawn.height / drawn.width
        if height > room:
            width, height = width * room / height, room
        document.image(picture, EDGE, EDGE, width, height, alt_text=plain(title))
        told(done, count)
    document.output(out)


def page_height(width: int) -> float:
    """Pixels of the tallest chart of this width that fills the width of a page."""
    return width * (PAGE[1] - 2 * EDGE) / (PAGE[0] - 2 * EDGE)


def html_page(svg: Iterable[str], title: str, theme: Theme) -> Iterator[str]:
    """The chart as a page of its own: no script, nothing loaded from anywhere."""
    palette = tokens(theme)
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    yield '<meta name="viewport" content="width=device-width">\n'
    yield f"<title>{escaped(title)}</title>\n"
    yield f"<style>body{{margin:0;background:{palette['ground']};color-scheme:{theme}}}"
    yield "main{overflow-x:auto;padding:16px}svg{display:block;margin:0 auto;border-radius:8px}</style>\n"
    yield "</head>\n<body>\n<main>\n"
    yield from svg
    yield "</main>\n</body>\n</html>\n"
