"""Permissions of the platform as its admin pages show them."""

from __future__ import annotations

import re
from typing import Final

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def permission_words(permission: str) -> str:
    """`routing:wrapupCode:view` as `Routing > Wrapup Code > View`. What is no permission stays as it is."""
    parts = permission.split(":")
    if len(parts) != 3:
        return permission
    return " > ".join("All" if part == "*" else _words(part) for part in parts)


def _words(part: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in _HUMP.sub(" ", part).replace("_", " ").split())
