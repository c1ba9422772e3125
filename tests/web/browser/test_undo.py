"""A join is undone on the journey page, while ingest runs: after a question that says what happens, and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from journeymap.decode.event import decode_frame
from journeymap.model.time import HOUR, MINUTE
from tests.telling import call
from tests.web.double import wall_clock
from tests.web.served import Served
from tests.web.stitched import Stitched

Visit = Callable[..., Page]
NUMBER = "+15555550123"
KEY = f"phone:{NUMBER}"


@pytest.fixture
def stitched() -> Iterator[tuple[Stitched, Served]]:
    model = Stitched(wall_clock)
    now = wall_clock() - 2 * HOUR
    frames = [
        *call("c-1", now, NUMBER, "ann"),
        *call("c-2", now + 30 * MINUTE, NUMBER),
        *call("c-3", now + HOUR, NUMBER),
    ]
    model.apply(*(event for frame in frames for event in decode_frame(frame)[0]))
    served = Served(model, change_customers=model.change)
    yield model, served
    served.close()


@pytest.fixture
def unknown() -> Iterator[tuple[Stitched, Served]]:
    """Two calls from a number that nobody knows."""
    model = Stitched(wall_clock)
    now = wall_clock() - 2 * HOUR
    frames = [*call("c-1", now, NUMBER), *call("c-2", now + HOUR, NUMBER)]
    model.apply(*(event for frame in frames for event in decode_frame(frame)[0]))
    served = Served(model, change_customers=model.change)
    yield model, served
    served.close()


def test_a_number_that_nobody_knows_joins_nobody_and_does_again(unknown: tuple[Stitched, Served], visit: Visit) -> None:
    model, served = unknown
    page = visit(f"{served.url}/journey/{model.journey_of(KEY)}", rows=0)
    page.locator(f"tr[data-key='phone#{KEY}']").get_by_role("button", name="Undo").click()
    dialog = page.get_by_role("dialog", name="Let this key join nobody?")
    expect(dialog).to_contain_text("Each interaction that nothing else names will stand for itself")
    dialog.get_by_role("button", name="Undo the join").click()
    row = page.locator(f"tr[data-key='alone#{KEY}']")
    expect(row).to_contain_text("Split from itself by an operator")
    expect(page.locator(".journey-title")).to_contain_text("interaction:c-1")
    assert [len(model.store.spans(f"interaction:{name}")) for name in ("c-1", "c-2")] == [1, 1]

    row.get_by_role("button", name="Join again").click()
    page.get_by_role("dialog", name="Let this key join again?").get_by_role("button", name="Join again").click()
    expect(page.locator(f"tr[data-key='phone#{KEY}']")).to_be_visible()
    assert len(model.store.spans(KEY)) == 1


def test_a_wrong_contact_is_taken_from_its_call(stitched: tuple[Stitched, Served], visit: Visit) -> None:
    model, served = stitched
    page = visit(f"{served.url}/journey/{model.journey_of('ann')}", rows=0)
    page.locator("tr[data-key='named#ann#c-1']").get_by_role("button", name="Undo").click()
    dialog = page.get_by_role("dialog", name="Was the wrong contact linked?")
    expect(dialog).to_contain_text("ann will not name interaction c-1 any more.")
    dialog.get_by_role("button", name="Undo the join").click()
    row = page.locator("tr[data-key='split#interaction:c-1']")
    expect(row).to_contain_text("ann")
    assert [len(model.store.spans(name)) for name in ("ann", KEY)] == [0, 1]
    row.get_by_role("button", name="Join again").click()
    page.get_by_role("dialog", name="Join these two again?").get_by_role("button", name="Join again").click()
    expect(page.locator("tr[data-key='named#ann#c-1']")).to_be_visible()
    assert [len(model.store.spans(name)) for name in ("ann", KEY)] == [1, 0]


def test_a_join_is_undone_and_made_again(stitched: tuple[Stitched, Served], visit: Visit) -> None:
    model, served = stitched
    model.running = False
    page = visit(f"{served.url}/journey/{model.journey_of('ann')}", rows=0)
    row = page.locator(f"tr[data-key='phone#{KEY}']")
    expect(row).to_contain_text("A telephone number")
    expect(row.get_by_role("button")).to_be_disabled()
    expect(page.locator("#journey-lists")).to_contain_text("Ingest is not running, so no join can be undone now")
    model.running = True
    row.get_by_role("button", name="Undo").click()
    dialog = page.get_by_role("dialog", name="Take this key from the customer?")
    expect(dialog).to_contain_text(f"{KEY} will not lead to ann any more. Of this journey c-2, c-3 leave")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(row.get_by_role("button", name="Undo")).to_be_focused()
    assert len(model.store.spans(KEY)) == 0

    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Undo the join").click()
    expect(dialog).to_be_hidden()
    expect(page.locator(f"tr[data-key='split#{KEY}']")).to_contain_text("Split: the one is no alias")
    expect(page.locator(".journey-title")).to_contain_text("ann")
    assert [len(model.store.spans(name)) for name in ("ann", KEY)] == [1, 1]

    page.get_by_role("button", name="Join these two again").or_(
        page.get_by_role("button", name="Join again")
    ).first.click()
    again = page.get_by_role("dialog", name="Join these two again?")
    again.get_by_role("button", name="Join again").click()
    expect(again).to_be_hidden()
    expect(page.locator(f"tr[data-key='merged#{KEY}']")).to_be_visible()
    assert len(model.store.spans(KEY)) == 0
