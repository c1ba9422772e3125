"""Frames: parts of the page in which nothing is Dash's, as plain HTML beside the layout.

Dash's renderer looks at every component of its layout whenever any property of any of them changes, some ten times a tick.
Most of the page is labels, buttons and places for figures that the page's own modules write and listen to. They are built
like all others, but travel as `<template>` in the page itself; `assets/main.mjs` puts them in place once Dash has drawn the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from html import escape
from typing import Any, Final

from dash.development.base_component import Component

HTML: Final = "dash_html_components"
NAMES: Final = {"className": "class", "htmlFor": "for"}
DASH_ONLY: Final = frozenset(["children", "key", "n_clicks", "n_clicks_timestamp", "disable_n_clicks"])
VOID: Final = frozenset(["br", "hr", "img", "input", "link", "meta", "wbr"])


def take_out(layout: Component, names: Collection[str]) -> str:
    """Empties the elements of `layout` with these ids; what was in them, as HTML templates that name their element.

    Raises ValueError where one of them is not there, TypeError where something in it is no plain HTML.
    """
    found = {str(own): each for each in _walk(layout) if (own := getattr(each, "id", None)) in names}
    if missing := set(names) - set(found):
        raise ValueError(f"no such element in the layout: {', '.join(sorted(missing))}")
    templates = []
    for name in names:
        element: Any = found[name]
        templates.append(f'<template data-frame="{escape(name)}">{to_html(element.children)}</template>')
        element.children = None
    return "".join(templates)


def to_html(part: Any) -> str:
    """A component of Dash's HTML components, a text or number, or a list of them, as HTML."""
    if part is None:
        return ""
    if isinstance(part, (list, tuple)):
        return "".join(map(to_html, part))
    if not isinstance(part, Component):
        return escape(str(part), quote=False)
    said = part.to_plotly_json()  # type: ignore[no-untyped-call]  # dash leaves it untyped
    if said["namespace"] != HTML:
        raise TypeError(f"{said['type']} is no plain HTML")
    tag = said["type"].lower()
    opening = "".join([f"<{tag}", *_attributes(said["props"]), ">"])
    return opening if tag in VOID else f"{opening}{to_html(said['props'].get('children'))}</{tag}>"


def _attributes(props: dict[str, Any]) -> Iterator[str]:
    for name, value in props.items():
        if name in DASH_ONLY or value is None or value is False:
            continue
        if isinstance(value, dict):
            raise TypeError(f"{name}: styles belong into a style sheet")
        written = NAMES.get(name, name.lower())
        yield f" {written}" if value is True else f' {written}="{escape(str(value))}"'


def _walk(part: Any) -> Iterator[Component]:
    if isinstance(part, (list, tuple)):
        for each in part:
            yield from _walk(each)
    elif isinstance(part, Component):
        yield part
        yield from _walk(getattr(part, "children", None))
