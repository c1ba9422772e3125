"""The wall in a real browser: what it shows, what it keeps, what it does when something is slow or gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]

TICKS = 10
HOSTILE = "<img src=x onerror=\"document.body.dataset.hacked='1'\">\u202e'\"&amp;"


def questions(served: Served) -> int:
    return len(served.read_model.questions)


def wait_for_ticks(page: Page, served: Served, count: int = TICKS) -> None:
    goal = questions(served) + count
    while questions(served) < goal:
        page.wait_for_timeout(50)


def first_customers(page: Page) -> list[str]:
    heads = page.evaluate(
        """() => [...document.querySelectorAll('.row-head:not([hidden])')]
          .map(head => [head.getBoundingClientRect().top, head.querySelector('a').textContent])"""
    )
    return [customer for _, customer in sorted(heads)]


def body(page: Page) -> dict[str, str]:
    return page.evaluate("() => ({...document.body.dataset})")


def find_bar(page: Page) -> tuple[float, float]:
    """A place on the chart where a bar is."""
    box = page.locator(".rows-canvas").bounding_box()
    assert box
    for down in range(14, 500, 28):
        for across in (0.93, 0.9, 0.85, 0.8, 0.7, 0.6):
            x, y = box["x"] + box["width"] * across, box["y"] + down
            page.mouse.move(x, y)
            # The card of the place before may still stand: the pointer's shape is of this place.
            if page.evaluate("() => document.querySelector('.rows-canvas').style.cursor") == "pointer":
                expect(page.locator("#card")).to_be_visible()
                return x, y
    raise AssertionError("no bar found on the chart")


def test_shows_rows_and_tells_the_body(serve: Serve, visit: Visit) -> None:
    served = serve(60, 20)
    page = visit(served.url, rows=10)
    before = body(page)
    assert int(before["version"]) >= 1
    assert int(before["lagMs"]) >= 0
    expect(page.locator("#connection-state")).to_have_text("OPEN")
    expect(page.locator("#counts")).to_have_text("All 60 journeys")
    version = before["version"]
    page.wait_for_function("version => document.body.dataset.version !== version", arg=version)
    page.wait_for_function("() => Number(document.body.dataset.lagMs) < 1500")
    assert first_customers(page)[0].startswith("cust-")


def test_a_new_journey_shows_at_once_while_all_fit(serve: Serve, visit: Visit) -> None:
    served = serve(5)
    page = visit(served.url)
    served.read_model.add("newcomer")
    expect(page.locator(".row-customer", has_text="newcomer")).to_be_visible()


def test_zoom_scroll_and_card_survive_ticks(serve: Serve, visit: Visit) -> None:
    served = serve(400, 40)
    page = visit(served.url, rows=10)
    page.locator("#timeline-rows").hover()
    page.mouse.wheel(0, 1500)
    page.wait_for_function("() => document.getElementById('timeline-rows').scrollTop >= 1500")
    page.locator("#zoom-in").click()
    page.locator("#pan-back").click()
    x, y = find_bar(page)
    page.mouse.click(x, y)
    expect(page.locator("#card.pinned")).to_be_visible()
    window = page.locator("#window").inner_text()
    scrolled = page.evaluate("() => document.getElementById('timeline-rows').scrollTop")
    about = page.locator("#card .card-id").inner_text()
    rows = first_customers(page)
    wait_for_ticks(page, served)
    assert page.locator("#window").inner_text() == window
    assert page.evaluate("() => document.getElementById('timeline-rows').scrollTop") == scrolled > 0
    assert page.locator("#card .card-id").inner_text() == about
    assert first_customers(page) == rows
    expect(page.locator("#back-to-live")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()
    page.locator("#back-to-live").click()
    expect(page.locator("#back-to-live")).to_be_hidden()


def test_scrolling_reaches_any_row(serve: Serve, visit: Visit) -> None:
    page = visit(serve(5000).url, rows=10)
    page.evaluate("() => { document.getElementById('timeline-rows').scrollTop = 28 * 4000 }")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.row-head:not([hidden])')].some(h => h.ariaPosInSet === '4005')"
    )


def test_filters_change_rows_and_url(serve: Serve, visit: Visit) -> None:
    page = visit(serve(60).url, rows=10)
    page.locator("#filter-customer").fill("cust-0001")
    expect(page.locator("#counts")).to_contain_text("10 of 60 match")
    page.wait_for_url("**q=cust-0001**")
    assert all("cust-0001" in customer for customer in first_customers(page))
    page.locator("#filter-channel").get_by_text("Chat").click()
    page.wait_for_url("**channel=chat**")
    expect(page.locator("#counts")).not_to_contain_text("10 of 60 match")
    again = visit(page.url)
    expect(again.locator("#filter-customer")).to_have_value("cust-0001")
    expect(again.locator("#counts")).to_have_text(page.locator("#counts").inner_text())
    assert sorted(first_customers(again)) == sorted(first_customers(page))
    page.locator("#filters-clear").click()
    expect(page.locator("#counts")).to_have_text("All 60 journeys")
    assert "?" not in page.url


def test_personal_texts_stay_out_of_the_url(serve: Serve, visit: Visit) -> None:
    page = visit(serve(20).url)
    for text in ("+44 20 7946 0000", "ana@example.org"):
        page.locator("#filter-customer").fill(text)
        expect(page.locator("#timeline-empty")).to_contain_text("No journey matches")
        assert "?" not in page.url
    page.locator("#timeline-empty").get_by_role("button").click()
    expect(page.locator("#timeline-empty")).to_be_hidden()


def test_pause_freezes_and_resume_catches_up(serve: Serve, visit: Visit) -> None:
    served = serve(40, 60)
    page = visit(served.url, rows=10)
    page.locator("#pause").click()
    expect(page.locator("#pause")).to_contain_text("PAUSED")
    picture = "() => document.querySelector('.rows-canvas').toDataURL()"
    page.mouse.move(5, 5)
    page.wait_for_timeout(200)
    before, version = page.evaluate(picture), body(page)["version"]
    page.wait_for_timeout(1500)
    assert page.evaluate(picture) == before
    assert body(page)["version"] == version
    page.locator("#pause").click()
    page.wait_for_function("v => document.body.dataset.version !== v", arg=version)
    assert int(body(page)["version"]) > int(version) + 5, "at once, not one after the other"


def test_a_slow_server_slows_the_page_and_does_not_stop_it(serve: Serve, visit: Visit) -> None:
    served = serve(30, 20)
    page = visit(served.url)
    served.read_model.slow_s = 1.5
    for _ in range(3):
        page.wait_for_function("v => document.body.dataset.version !== v", arg=body(page)["version"])


def test_says_when_the_server_is_gone_and_when_it_is_back(serve: Serve, visit: Visit) -> None:
    served = serve(20, 20)
    page = visit(served.url)
    page.route("**/_dash-update-component*", lambda route: route.abort())
    expect(page.locator("#notice")).to_contain_text("cannot reach its server")
    assert first_customers(page)
    page.unroute("**/_dash-update-component*")
    expect(page.locator("#notice")).to_be_hidden()
    version = body(page)["version"]
    page.wait_for_function("v => document.body.dataset.version !== v", arg=version)


def test_says_what_is_wrong_with_the_source(serve: Serve, visit: Visit) -> None:
    tried: list[int] = []
    served = serve(20, 5, retry=lambda: tried.append(1))
    page = visit(served.url)
    status: dict[str, Any] = served.read_model.status
    status.update(state="DISCONNECTED", refused=True, error="401 from the token endpoint")
    expect(page.locator("#notice")).to_contain_text("JOURNEYMAP_CLIENT_SECRET")
    expect(page.locator("#connection-state")).to_have_text("DISCONNECTED")
    page.locator("#notice-retry").click()
    while not tried:
        page.wait_for_timeout(50)
    status.update(refused=False, ingest_running=False, error=None)
    expect(page.locator("#notice")).to_contain_text("Ingest is not running")
    assert tried == [1]


def test_hostile_text_is_text(serve: Serve, visit: Visit) -> None:
    served = serve(3)
    story = served.read_model.add(HOSTILE)
    story.interactions[-1].update(queue=HOSTILE, agent=HOSTILE, disposition=HOSTILE)
    page = visit(served.url)
    expect(page.locator(".row-customer", has_text="<img")).to_have_text(HOSTILE)
    find_bar(page)
    page.locator(".row-customer", has_text="<img").click()
    expect(page.locator("#drawer .drawer-customer")).to_have_text(HOSTILE)
    expect(page.locator("#drawer .told-where").last).to_have_text(f"Queue {HOSTILE} · Agent {HOSTILE}")
    page.locator("#drawer .drawer-open").click()
    expect(page.locator("#journey h1")).to_have_text(HOSTILE)
    expect(page.locator("#journey-chart .barlayer")).to_be_attached()
    assert page.locator("img[src=x]").count() == 0
    assert "hacked" not in body(page)


def test_two_viewers_do_not_share_state(serve: Serve, visit: Visit, browser: Browser) -> None:
    served = serve(60, 10)
    one = visit(served.url, rows=10)
    context = browser.new_context()
    other = visit(served.url, rows=10, context=context)
    one.locator("#filter-customer").fill("cust-0001")
    expect(one.locator("#counts")).to_contain_text("10 of 60 match")
    one.locator("#pause").click()
    expect(other.locator("#pause")).to_contain_text("LIVE")
    expect(other.locator("#counts")).to_have_text("All 60 journeys")
    version = body(other)["version"]
    other.wait_for_function("v => document.body.dataset.version !== v", arg=version)
    context.close()


def test_keys_move_open_and_hold(serve: Serve, visit: Visit) -> None:
    page = visit(serve(60).url, rows=10)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    focused = "() => document.activeElement.textContent"
    assert page.evaluate(focused) == first_customers(page)[1]
    page.keyboard.press(" ")
    expect(page.locator("#pause")).to_contain_text("PAUSED")
    page.keyboard.press(" ")
    page.keyboard.press("t")
    expect(page.locator("#journey-table .ag-row").first).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("#help-sheet")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("() => document.activeElement.id") == "filter-customer"


def test_works_on_a_phone(serve: Serve, browser: Browser, visit: Visit) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = visit(serve(60).url, rows=10, context=context)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert page.evaluate("() => document.querySelector('.row-head').getBoundingClientRect().top") <= 215
    # What has no place in the bar is behind one button, its menus and all.
    views = page.locator("#views-menu")
    expect(views).to_be_hidden()
    page.locator("#more").tap()
    views.tap()
    expect(page.locator("#views-menu-panel").get_by_role("button", name="Save")).to_be_visible()
    # Escape closes the inner menu only, be the focus in it or on its button still.
    views.press("Escape")
    expect(page.locator("#views-menu-panel")).to_be_hidden()
    expect(views).to_be_visible()
    views.tap()
    expect(page.locator("#views-menu-panel input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#views-menu-panel")).to_be_hidden()
    page.locator("#help").tap()
    expect(page.locator("#help-sheet")).to_be_visible()
    expect(views).to_be_hidden()
    page.keyboard.press("Escape")
    page.locator("#filters-toggle").tap()
    expect(page.locator("#filter-channel").get_by_text("Chat")).to_be_visible()
    context.close()


def test_other_stands_for_channels_without_a_track(serve: Serve, visit: Visit) -> None:
    served = serve(60)
    page = visit(served.url, rows=10)
    fax = sum("fax" in story.channels for story in served.read_model.stories.values())
    expect(page.locator("[data-count='filter-channel:other']")).to_have_text(str(fax))
    page.locator("#filter-channel").get_by_text("Other").click()
    expect(page.locator("#counts")).to_contain_text(f"{fax} of 60 match")
