"""Reading trees of components."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component


def components(part: Any) -> Iterator[Component]:
    """All components of a tree or of a list of trees, from the top."""
    if isinstance(part, (list, tuple)):
        for each in part:
            yield from components(each)
    elif isinstance(part, Component):
        yield part
        yield from components(getattr(part, "children", None))


def ids_in(part: Any) -> list[str]:
    """The ids in it."""
    return [str(each.id) for each in components(part) if getattr(each, "id", None)]
