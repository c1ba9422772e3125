"""Parts of the page that travel as plain HTML beside Dash's layout."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from dash import dcc, html
from dash.development.base_component import Component

from journeymap.web import frames, layout
from journeymap.web.components.attributes import attributes
from tests.web.tree import components, ids_in

MOST_COMPONENTS = 150
"""Dash's renderer looks at each of them several times a tick: more than so many need a reason."""


class Reader(HTMLParser):
    """What is in HTML: elements with their attributes, and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_html_says_what_the_components_say() -> None:
    tree = html.Div(
        [
            html.Label("Who & <what>", htmlFor="it", className="a b"),
            html.Button(id="it", tabIndex=9, disabled=True, hidden=False, **attributes(aria_label='"quoted"')),
            None,
            3,
        ],
        tabIndex="-1",
        n_clicks=0,
    )
    read = Reader(frames.to_html(tree))
    assert read.elements == [
        ("div", {"tabindex": "-1"}),
        ("label", {"for": "it", "class": "a b"}),
        ("button", {"id": "it", "tabindex": "9", "disabled": None, "aria-label": '"quoted"'}),
    ]
    assert read.texts == ["Who & <what>", "3"]


@pytest.mark.parametrize(
    "part", [dcc.Input(id="x"), html.Div(dcc.Store(id="x")), html.Div(style={"color": "red"})], ids=["own", "within", "style"]
)  # fmt: skip
def test_what_is_no_plain_html_is_refused(part: Component) -> None:
    with pytest.raises(TypeError):
        frames.to_html(part)


def test_an_element_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        frames.take_out(html.Div(), ["nowhere"])


def test_the_page_is_whole_and_dash_has_few_components() -> None:
    whole = layout.create_layout(time_zone=None, can_retry=True)
    before = list(components(whole))
    ids = sorted(ids_in(whole))
    templates = Reader(frames.take_out(whole, layout.FRAMES))
    left = list(components(whole))
    assert sorted(attrs["data-frame"] or "" for tag, attrs in templates.elements if tag == "template") == sorted(
        layout.FRAMES
    )
    moved = [attrs["id"] or "" for _, attrs in templates.elements if "id" in attrs]
    assert sorted([*moved, *ids_in(whole)]) == ids
    assert len(left) + len(templates.elements) - len(layout.FRAMES) == len(before)
    assert len(left) <= MOST_COMPONENTS
