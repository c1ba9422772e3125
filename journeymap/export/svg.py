"""Elements of SVG as text. Everything that comes from outside is made harmless here."""

from __future__ import annotations

import re
from typing import Final

_UNSAFE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
"""What XML does not allow, other control characters, and those that turn the direction of what stands around them."""

_SPACES: Final = re.compile(r"\s+")


def plain(text: str) -> str:
    """A text from outside on one line, control characters replaced. Not escaped yet."""
    return _UNSAFE.sub("\ufffd", _SPACES.sub(" ", text)).strip()


def escaped(text: str) -> str:
    """A text from outside for the inside of an element or of an attribute in double quotes."""
    text = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")


def number(value: float) -> str:
    """A coordinate, to a hundredth of a pixel."""
    text = f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rect(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    """A filled rectangle; `more` are attributes, ready and safe."""
    place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return f'<rect {place} fill="{fill}"{more}/>'


def path(data: str, fill: str = "none", more: str = "") -> str:
    """A path; `more` are attributes, ready and safe."""
    return f'<path d="{data}" fill="{fill}"{more}/>'


def write(x: float, y: float, text: str, css: str, more: str = "") -> str:
    """A text with its baseline at `y`; `css` is the class that gives size, weight and colour."""
    return f'<text x="{number(x)}" y="{number(y)}" class="{css}"{more}>{escaped(text)}</text>'
