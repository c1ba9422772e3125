"""Where events come from: which sources tell of the same, so that one store may hold what they bring."""

from __future__ import annotations

from typing import Final, NamedTuple

PUBLIC_APIS: Final = frozenset({"notifications", "eventbridge"})
"""The sources that tell of an organisation through its platform's public APIs. An event has one id, whichever brings it."""


class Difference(NamedTuple):
    """What of a store, `source` or `environment`, is `found` where another one is `wanted`."""

    what: str
    found: str
    wanted: str


def difference(
    found_source: str, found_environment: str, wanted_source: str | None, wanted_environment: str | None
) -> Difference | None:
    """Why a store, or its backup, is not the one that is wanted; None if it is. Where nothing is wanted, anything will do."""
    if wanted_source is not None and not is_same_origin(found_source, wanted_source):
        return Difference("source", found_source, wanted_source)
    if wanted_environment is not None and found_environment != wanted_environment:
        return Difference("environment", found_environment, wanted_environment)
    return None


def is_same_origin(one: str, other: str) -> bool:
    """Whether two sets of sources, their kinds with commas between them, tell of the same."""
    return _origins(one) == _origins(other)


def _origins(kinds: str) -> frozenset[str]:
    return frozenset("public APIs" if kind in PUBLIC_APIS else kind for kind in kinds.split(","))
