"""The colours of exports: those of the page, read from its own style sheet, so that there is one source of them."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from journeymap.errors import InputError

Theme = Literal["light", "dark"]
THEMES: Final[tuple[Theme, ...]] = ("light", "dark")

_INSTALLED: Final = Path(__file__).resolve().parents[1] / "_assets"
ASSETS: Final = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).resolve().parents[2] / "assets"
"""The page's files: in the package where it was installed, at the top of a checkout otherwise."""

_BLOCK: Final = re.compile(r":root(\[[^\]]*\])?\s*\{([^}]*)\}")
_TOKEN: Final = re.compile(r"--([\w-]+):\s*([^;]+);")
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)


def read_theme(text: str) -> Theme:
    """The theme of this name. Raises InputError."""
    for theme in THEMES:
        if text == theme:
            return theme
    raise InputError(f"theme is {text[:40]!r}; allowed are {', '.join(THEMES)}")


@functools.cache
def tokens(theme: Theme) -> Mapping[str, str]:
    """Every token of `assets/tokens.css` by name (without the dashes), with its value in this theme."""
    text = _COMMENT.sub("", (ASSETS / "tokens.css").read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for selector, body in _BLOCK.findall(text):
        if not selector or ("dark" in selector and theme == "dark"):
            found.update((name, value.strip()) for name, value in _TOKEN.findall(body))
    return found
