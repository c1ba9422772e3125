"""An analyst's errand from the question to the answer sent on, in ten steps and without a mouse."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.web.double import DoubleReadModel
from tests.web.served import Served
from tests.web.stories import Story

Serve = Callable[..., Served]
Visit = Callable[..., Page]
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
FOCUSED = "text => document.activeElement.textContent === text"


def contact(model: DoubleReadModel, begins: int, *, closed: bool) -> Story:
    """Anna calls, waits six minutes for Billing, and is handed over to a chat."""
    story = model.add("anna-4711")
    call, chat = story.interactions[:1] * 2
    call = {**call, "id": f"{story.journey_id}-call", "channel": "voice", "queue": "Billing", "agent": "Ana Silva"}
    chat = {**chat, "id": f"{story.journey_id}-chat", "channel": "chat", "queue": "Support", "agent": "Bo Chen"}
    waited, talked = begins + 6 * MINUTE, begins + 9 * MINUTE
    end = talked + 3 * MINUTE
    call.update(
        state="CLOSED", started=begins, last=talked, ended=talked, disposition="escalated",
        segments=[("wait", begins, waited), ("interact", waited, talked)],
    )  # fmt: skip
    chat.update(
        state="CLOSED" if closed else "ACTIVE", started=talked, last=end, ended=end, disposition=None,
        segments=[("wait", talked, talked + MINUTE), ("interact", talked + MINUTE, end if closed else None)],
    )  # fmt: skip
    story.interactions[:] = [call, chat]
    story.transfers[:] = [[talked, 0, 1]]
    story.started_at, story.last_event_at, story.closed = begins, end, closed
    model.commit([story])
    return story


def with_neighbours(model: DoubleReadModel) -> None:
    """A journey's page names the customer's other journeys, as the real read model has it."""
    plain = model.detail

    def detail(journey_id: str, now: int) -> dict[str, Any] | None:
        journey = plain(journey_id, now)
        if journey is None:
            return None
        others = [one for one in model.stories.values() if one.customer == journey["customer_id"]]
        known = [one.document(now) for one in others if one.journey_id != journey_id]
        names = ("journey_id", "state", "started_at", "last_event_at")
        return {**journey, "neighbours": [{name: one[name] for name in names} for one in known]}

    model.detail = detail  # type: ignore[method-assign]


def choose(page: Page, text: str, option: str) -> None:
    """Picks an option of the command box by a few letters, up to the last key."""
    expect(page.locator("#command-box").get_by_role("combobox")).to_be_focused()
    page.keyboard.type(text)
    expect(page.locator("#command-box").get_by_role("option", selected=True)).to_contain_text(option)


def find_why(page: Page) -> None:
    keys, told = page.keyboard, page.locator("#announcer")
    # 1. Find the customer by a part of an id.
    keys.press("Control+p")
    choose(page, "4711", "anna-4711")
    keys.press("Enter")
    page.wait_for_function(FOCUSED, arg="anna-4711")
    # 2. See why they waited: the first segment, for how long and for whom.
    keys.press(".")
    expect(told).to_contain_text(re.compile(r"^Waiting, Voice, 6 min, from .* until .*, Billing"))
    # 3. Look at that stretch of time closely.
    keys.press("f")
    keys.press("f")
    expect(page.locator("#back-to-live")).to_be_visible()
    # 4. Follow the transfer: past the talk, to the chat that took over.
    keys.press(".")
    expect(told).to_contain_text("Talking, Voice")
    keys.press(".")
    expect(told).to_contain_text("Waiting, Chat, 1 min")
    keys.press("Escape")


def compare(page: Page, today: Story, yesterday: Story) -> None:
    keys = page.keyboard
    # 5. Open the whole journey.
    page.wait_for_function(FOCUSED, arg="anna-4711")
    keys.press("Control+p")
    choose(page, "4711", "anna-4711")
    keys.press("Control+Enter")
    page.wait_for_url(f"**/journey/{today.journey_id}")
    expect(page.locator("#journey h1")).to_have_text("anna-4711")
    # 6. Compare with yesterday's contact.
    page.locator(f"#journey a[href$='{yesterday.journey_id}']").first.wait_for()
    for _ in range(120):
        if page.evaluate("id => document.activeElement.href?.endsWith(id) ?? false", yesterday.journey_id):
            break
        keys.press("Tab")
    keys.press("Enter")
    page.wait_for_url(f"**/journey/{yesterday.journey_id}")


def take_along(page: Page, place: Path) -> None:
    keys = page.keyboard
    # 7. Back to the wall, and only this customer.
    keys.press("Control+k")
    choose(page, "all journeys", "All journeys")
    keys.press("Enter")
    expect(page.locator("#timeline")).to_be_visible()
    keys.press("/")
    keys.type("4711")
    page.wait_for_function("() => document.body.dataset.rows === '2'")
    # 8. Take the data along.
    keys.press("Control+k")
    choose(page, "csv", "CSV")
    with page.expect_download() as waiting:
        keys.press("Enter")
    waiting.value.save_as(place)
    lines = place.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 8
    assert all("anna-4711" in line for line in lines[1:])
    # 9. The address is the view: whoever gets it sees the same.
    assert "4711" in page.url
    assert "window=" in page.url


def test_an_errand_in_ten_steps_by_keyboard_alone(serve: Serve, visit: Visit, tmp_path: Path) -> None:
    served = serve(40)
    model = served.read_model
    now = model.clock()
    yesterday = contact(model, now - DAY, closed=True)
    today = contact(model, now - 14 * MINUTE, closed=False)
    with_neighbours(model)
    page = visit(served.url, rows=10)
    find_why(page)
    compare(page, today, yesterday)
    take_along(page, tmp_path / "anna.csv")
    # 10. Back to the present, and hold the picture.
    page.keyboard.press("Tab")
    page.keyboard.press("l")
    expect(page.locator("#back-to-live")).to_be_hidden()
    page.keyboard.press("l")
    expect(page.locator("#pause")).to_contain_text("PAUSED")
