"""Where events come from: which sources tell of the same, so that one store may hold what they bring."""

from __future__ import annotations

from typing import Final

PUBLIC_APIS: Final = frozenset({"notifications", "eventbridge"})
"""The sources that tell of an organisation through its platform's public APIs. An event has one id, whichever brings it."""


def is_same_origin(one: str, other: str) -> bool:
    """Whether two sets of sources, their kinds with commas between them, tell of the same."""
    return _origins(one) == _origins(other)


def _origins(kinds: str) -> frozenset[str]:
    return frozenset("public APIs" if kind in PUBLIC_APIS else kind for kind in kinds.split(","))
